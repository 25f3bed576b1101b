import { OperatorError, type Paint, paintFor } from '@ringfence/base';
import { catalogue, type Field } from '@ringfence/fields';
import type { Command } from 'commander';
import { print, printJson } from '../shared/context.ts';

export function addFields(rules: Command): void {
  rules
    .command('fields')
    .argument('[word]', 'only fields with this word in their name, alias or description')
    .description('list the fields that conditions, outputs and tests can use')
    .option('--json', 'print one JSON object per line')
    .addHelpText('after', '\nExamples:\n  ringfence rules fields parent\n  ringfence rules fields proc.aname')
    .action((word: string | undefined, { json }: { json?: boolean }) => {
      const found = catalogue.fields.filter((field) => word === undefined || mentions(field, word.toLowerCase()));
      if (found.length === 0) throw new OperatorError(`no field contains '${word}'`);
      const paint = paintFor(process.stdout);
      for (const { get: _, ...field } of found) {
        if (json) printJson(field);
        else print(fieldText(field, paint));
      }
    });
}

const mentions = ({ name, aliases = [], doc }: Field, word: string): boolean =>
  [name, ...aliases, doc].some((text) => text.toLowerCase().includes(word));

function fieldText(
  { name, type, doc, aliases = [], kinds, oneOf, argument }: Omit<Field, 'get'>,
  paint: Paint,
): string {
  const details = [
    ...(kinds === undefined ? [] : [`on ${kinds.join(', ')}`]),
    ...(oneOf === undefined ? [] : [`one of ${oneOf.join(', ')}`]),
    ...(aliases.length === 0 ? [] : [`aliases ${aliases.join(', ')}`]),
  ];
  const detailLine = details.length === 0 ? '' : `\n  ${paint.dim(details.join('; '))}`;
  return `${paint.bold(name)}${argument === undefined ? '' : `[${argument}]`} ${paint.cyan(type)}  ${doc}${detailLine}`;
}
