import { didYouMean } from '../../diagnostics/diagnostics.ts';
import { Fault } from '../../diagnostics/errors.ts';
import type { YamlText } from '../../language/file/yaml.ts';

/** Values of placeholders, by name without percent signs. */
export type Placeholders = Readonly<Record<string, readonly string[]>>;

const PLACEHOLDER = /\\%|%([\w .-]+)%/g;
/** Values that one value may expand to. */
const MOST = 10_000;

/**
 * Returns a value with every combination of its placeholders' values; `\%` is a percent sign.
 * @throws Fault if a placeholder has no values
 */
export function fillPlaceholders(value: YamlText, placeholders: Placeholders): YamlText[] {
  let texts = [''];
  let end = 0;
  for (const match of value.text.matchAll(PLACEHOLDER)) {
    const before = value.text.slice(end, match.index);
    const given = match[1] === undefined ? ['%'] : meaningOf(match[1], value, placeholders);
    if (texts.length * given.length > MOST)
      throw new Fault('too-long', value.at, `the placeholders here expand to more than ${MOST} values`);
    texts = texts.flatMap((text) => given.map((replacement) => text + before + replacement));
    end = match.index + match[0].length;
  }
  const rest = value.text.slice(end);
  return texts.map((text) => ({ ...value, text: text + rest }));
}

function meaningOf(name: string, { at }: YamlText, placeholders: Placeholders): readonly string[] {
  if (Object.hasOwn(placeholders, name)) return placeholders[name]!;
  const known = Object.keys(placeholders);
  const none = `Add a document with placeholders: { ${name}: [ … ] }.`;
  const hint = didYouMean(name, known, known.length === 0 ? none : `Placeholders: ${known.join(', ')}.`);
  throw new Fault('unknown-placeholder', at, `there are no values for the placeholder '%${name}%'`, hint);
}
