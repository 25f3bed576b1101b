/** A backslash makes each of these characters plain in Markdown; `&` would begin an entity. */
const SPECIAL = /[\\`*_{}[\]()#+.!|<>&~:@-]/g;

/** Returns a line that Markdown shows as it is, without links, pictures or HTML. */
export const escapeMarkdown = (line: string): string => line.replaceAll(SPECIAL, '\\$&');
