/** How many of the past a command may ask for at once. */
export const MAX_LISTED = 100_000;
