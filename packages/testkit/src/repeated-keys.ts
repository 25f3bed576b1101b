const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/g;

/** Returns the keys that an object of a JSON text has twice, which JSON.parse hides. Throws SyntaxError for no JSON. */
export function repeatedKeys(json: string): string[] {
  JSON.parse(json);
  const repeated: string[] = [];
  // A list has no keys: null.
  const open: (Set<string> | null)[] = [];
  let text = '';
  for (const [token] of json.matchAll(TOKENS)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') {
      const keys = open.at(-1);
      if (keys?.has(text)) repeated.push(text);
      keys?.add(text);
    } else if (token !== ',') text = JSON.parse(token) as string;
  }
  return repeated;
}
