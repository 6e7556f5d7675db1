/** What is used of jose, for who loads it when it is needed: a namespace that is loaded so keeps all of itself in the bundle. */
export { compactVerify, errors, importJWK, SignJWT } from "jose";
