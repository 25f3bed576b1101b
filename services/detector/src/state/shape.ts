/** What a JSON value must look like: a type's name, an array of one shape, an object by field, or `{ '*': shape }` for any field names. */
export type Shape = 'string' | 'number' | 'boolean' | 'any' | readonly [Shape] | { readonly [field: string]: Shape };

/** Throws RangeError at the first place that doesn't fit. */
export function assertShape(value: unknown, shape: Shape, at = 'value'): void {
  if (shape === 'any') return;
  if (typeof shape === 'string') {
    const finite = typeof value !== 'number' || Number.isFinite(value);
    if (typeof value === shape && finite) return;
    throw new RangeError(`${at} is ${value === null ? 'null' : typeof value}, expected ${shape}`);
  }
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) throw new RangeError(`${at} is no array`);
    for (const [i, item] of value.entries()) assertShape(item, shape[0] as Shape, `${at}[${i}]`);
    return;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new RangeError(`${at} is no object`);
  const fields = value as Record<string, unknown>;
  const any = (shape as Record<string, Shape>)['*'];
  const wanted = any === undefined ? Object.entries(shape) : Object.keys(fields).map((name) => [name, any] as const);
  for (const [name, inner] of wanted) assertShape(fields[name], inner as Shape, `${at}.${name}`);
}
