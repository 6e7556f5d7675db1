import type { SignedIn } from "../facts.ts";
import { byId } from "./dom.ts";

export interface SignInControl {
  /** The token to call with; undefined while nobody is signed in. */
  token(): string | undefined;
}

/** The button that fetches a token from the demo's sign-in, or forgets it; `onChange` hears of both. */
export function readSignIn(onChange: () => void): SignInControl {
  const button = byId("sign-in", HTMLButtonElement);
  const error = byId("sign-in-error", HTMLElement);
  let signedIn: SignedIn | undefined;

  button.addEventListener("click", () => {
    if (signedIn !== undefined) return become(undefined);
    void fetchToken().then(become, () => {
      error.textContent = "Nobody could be signed in: the demo did not answer as it should. Is npm start still running?";
    });
  });

  function become(who: SignedIn | undefined): void {
    signedIn = who;
    error.textContent = "";
    byId("signed-in", HTMLElement).textContent = who === undefined ? "Nobody is signed in." : `Signed in as ${who.subject}.`;
    button.textContent = who === undefined ? "Sign in" : "Sign out";
    onChange();
  }

  return { token: () => signedIn?.token };
}

async function fetchToken(): Promise<SignedIn> {
  const response = await fetch("/sign-in", { method: "POST" });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return (await response.json()) as SignedIn;
}
