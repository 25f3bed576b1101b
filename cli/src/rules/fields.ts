import { OperatorError, type Paint, paintFor } from '@ringfence/base';
import { catalogue, type Field } from '@ringfence/fields';
import type { Command } from 'commander';
import { print, printJson } from '../shared/context.ts';

export function addFields(rules: Command): void {
  rules
    .command('fields')
    .argument('[word]', 'only those with the word in a name, an alias or the explanation')
    .description('list the fields that conditions, outputs and tests can name')
    .option('--json', 'print one JSON object a line')
    .addHelpText('after', '\nExamples:\n  ringfence rules fields parent\n  ringfence rules fields proc.aname')
    .action((word: string | undefined, { json }: { json?: boolean }) => {
      const found = catalogue.fields.filter((field) => word === undefined || says(field, word.toLowerCase()));
      if (found.length === 0) throw new OperatorError(`no field has '${word}' in it`);
      const paint = paintFor(process.stdout);
      for (const { get: _, ...field } of found) {
        if (json) printJson(field);
        else print(fieldText(field, paint));
      }
    });
}

const says = ({ name, aliases = [], doc }: Field, word: string): boolean =>
  [name, ...aliases, doc].some((text) => text.toLowerCase().includes(word));

function fieldText(
  { name, type, doc, aliases = [], kinds, oneOf, argument }: Omit<Field, 'get'>,
  paint: Paint,
): string {
  const more = [
    ...(kinds === undefined ? [] : [`on ${kinds.join(', ')}`]),
    ...(oneOf === undefined ? [] : [`one of ${oneOf.join(', ')}`]),
    ...(aliases.length === 0 ? [] : [`also ${aliases.join(', ')}`]),
  ];
  const told = more.length === 0 ? '' : `\n  ${paint.dim(more.join('; '))}`;
  return `${paint.bold(name)}${argument === undefined ? '' : `[${argument}]`} ${paint.cyan(type)}  ${doc}${told}`;
}
