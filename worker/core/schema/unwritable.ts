/** A message that is well-formed, but that the other codec has no words for. */
export class Unwritable extends Error {}
