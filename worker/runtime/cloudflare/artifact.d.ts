declare module "*.compiled" {
  const bytes: ArrayBuffer;
  export default bytes;
}
