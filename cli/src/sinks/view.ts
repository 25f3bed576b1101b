import { durationText, type Paint } from '@ringfence/base';
import type { SinkConfig, SinkKind, SinkStatus } from '@ringfence/forwarder';
import { escapeText } from '@ringfence/wire';
import { counted, grouped } from '../shared/numbers.ts';

/** Formats each sink as a line. A sink that fails has a second line with the reason. */
export function sinkLines(paint: Paint, sinks: readonly SinkStatus[]): string[] {
  const width = Math.max(...sinks.map(({ name }) => name.length), 0);
  return sinks.flatMap((sink) => {
    const { name, type, sent, backlog, waitingMs, refused, lost, failing } = sink;
    const facts = [
      type.padEnd(13),
      `sent ${grouped(sent)}`,
      backlog === 0
        ? 'no backlog'
        : `backlog ${counted(backlog, 'record')}, the oldest for ${durationText(waitingMs * 1000)}`,
      ...(refused === 0 ? [] : [`${counted(refused, 'record')} refused`]),
      ...(lost === 0 ? [] : [paint.red(`${counted(lost, 'record')} lost`)]),
    ];
    const state = failing === '' ? paint.green('ok     ') : paint.red('failing');
    const line = `${state} ${paint.bold(name.padEnd(width))}  ${facts.join('  ')}`;
    return failing === '' ? [line] : [line, `        ${escapeText(failing)}`];
  });
}

/** Formats each kind of sink as a line. */
export function kindLines(paint: Paint, kinds: readonly SinkKind[]): string[] {
  const width = Math.max(...kinds.map(({ type }) => type.length));
  return kinds.map(
    ({ type, title, sends }) => `${paint.bold(type.padEnd(width))}  ${title} ${paint.dim(`(${sends.join(', ')})`)}`,
  );
}

export const configLine = (paint: Paint, { name, kind, common }: SinkConfig): string =>
  `${paint.green('ok')} ${paint.bold(name)}: ${kind.type}, sends ${(common.send ?? kind.sends).join(', ')}`;
