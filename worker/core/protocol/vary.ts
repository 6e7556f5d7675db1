import type { Fields } from "./fields.ts";

/** Says that a reply differs by these request headers, as far as it does not say so. https://www.rfc-editor.org/rfc/rfc9110#section-12.5.5 */
export function addVary(headers: Fields, names: readonly string[]): void {
  const said = (headers.get("vary") ?? "").toLowerCase().split(",").map((name) => name.trim());
  const further = names.filter((name) => !said.includes(name.toLowerCase()));
  if (further.length > 0) headers.append("vary", further.join(", "));
}
