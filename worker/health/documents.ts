/** Where the store has what: one writer each, the sweep and whoever drains. */
export const tableKey = "health";
export const overridesKey = "overrides";
