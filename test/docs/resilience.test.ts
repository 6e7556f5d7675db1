import { expect, test } from "vitest";
import { docsPage } from "./examples.ts";

const { page, examples, checked } = docsPage("resilience.md");

test.each([...examples.keys()])("the example under “%s” is accepted without a word", (heading) => {
  expect(checked(heading).issues).toEqual([]);
});

test("the page has as many examples as headings with YAML", () => expect(examples.size).toBe([...page.matchAll(/^```yaml$/gm)].length));
