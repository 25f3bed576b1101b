/** Paths shown of an object that differs. */
const MAX_PATHS = 5;
const MAX_DEPTH = 32;

/**
 * Returns the paths at which `found` lacks or changes what `wanted` has. What Kibana adds, such as defaults, is no
 * difference. Texts that hold JSON are compared by their content.
 */
export function differencesOf(wanted: unknown, found: unknown): string[] {
  const paths: string[] = [];
  compare(wanted, found, '', paths, 0);
  return paths;
}

function compare(wanted: unknown, found: unknown, path: string, paths: string[], depth: number): void {
  if (paths.length >= MAX_PATHS || depth > MAX_DEPTH) return;
  const [left, right] = [unpacked(wanted), unpacked(found)];
  if (typeof left !== 'object' || left === null) {
    if (left !== right) paths.push(path);
    return;
  }
  if (typeof right !== 'object' || right === null || Array.isArray(left) !== Array.isArray(right)) {
    paths.push(path);
    return;
  }
  if (Array.isArray(left) && left.length !== (right as unknown[]).length) {
    paths.push(path);
    return;
  }
  for (const [key, value] of Object.entries(left))
    compare(
      value,
      (right as Readonly<Record<string, unknown>>)[key],
      path === '' ? key : `${path}.${key}`,
      paths,
      depth + 1,
    );
}

function unpacked(value: unknown): unknown {
  if (typeof value !== 'string' || !/^[[{]/.test(value)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}
