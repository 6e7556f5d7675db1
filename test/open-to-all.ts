/** A config's text, in which everybody may call everything unless it says who may: most tests are about something else. */
export function openToAll(yaml: string): string {
  return /^auth:/m.test(yaml) ? yaml : `${yaml}\nauth: { rules: [{ match: { prefix: / }, allow: PUBLIC }] }\n`;
}
