import { OperatorError } from '@ringfence/base';
import { catalogue, type EventDocument, eventKinds, type Field, type FieldValue } from '@ringfence/fields';
import { compileRules, explain, type RuleSource } from '@ringfence/rules';
import type { ApiClient } from '@ringfence/runtime/client';
import { type Alert, openRecording } from '@ringfence/wire';
import { Judge } from './events/judge.ts';
import type { Misses } from './events/misses.ts';
import type { JudgedRun } from './events/run-trace.ts';
import type { Interest, JudgedEvent, Judgement } from './events/trial.ts';
import { readEventFile } from './events/written.ts';
import { whyNoRule } from './no-rule.ts';

/** Explanation of a rule on an event. */
export interface Explained {
  readonly rule: string;
  /** True if the whole condition holds. */
  readonly holds: boolean;
  readonly event: JudgedEvent;
  /** Trace over all events, if the rule combines several. */
  readonly run?: JudgedRun;
  /** Failed parts over all events of a file, if the rule matched none. */
  readonly misses?: Misses;
}

/**
 * Explains a rule on the events of a recording or a YAML file. `which` is the number of an event from 1, or its id;
 * undefined selects the event on which most of the condition holds.
 */
export async function explainInFile(
  rule: string,
  file: { readonly path: string; readonly text: string | undefined; readonly which: string | undefined },
  sources: readonly RuleSource[],
): Promise<Explained> {
  const judge = new Judge(sources);
  const about = judge.rule(rule);
  if (about === undefined) throw new OperatorError(whyNoRule(judge.rules, rule));
  const { which } = file;
  const interest: Interest = { about, keep: ({ number, id }) => String(number) === which || id === which };
  const judged =
    file.text === undefined
      ? await judgeRecorded(judge, file.path, interest)
      : judge.judge(readEventFile(file.path, file.text), interest);
  const event = which === undefined ? judged.nearest : judged.events[0];
  if (event?.explanation === undefined)
    throw new OperatorError(
      `${file.path} has no event${which === undefined ? '' : ` ${which}`}: it has ${judged.count}`,
    );
  const { run } = judged;
  const { holds } = event.explanation;
  if (which !== undefined) return { rule, holds, event };
  const missed = judged.misses === undefined ? {} : { misses: judged.misses };
  if (run === undefined) return { rule, holds, event, ...(holds ? {} : missed) };
  return { rule, holds: judged.misses === undefined, event, run, ...(run.steps.length === 0 ? missed : {}) };
}

async function judgeRecorded(judge: Judge, path: string, interest: Interest): Promise<Judgement> {
  await using recording = await openRecording(path);
  return await judge.judgeRecording(recording.records(), recording.enrolled, interest);
}

/** Explains a rule on the event of an alert, or on an event by its id, from a running `up`. */
export async function explainRunning(
  rule: string,
  id: string,
  client: ApiClient,
  sources: readonly RuleSource[],
): Promise<Explained> {
  const eventId = id.includes('/') ? id : await eventOfAlert(id, client);
  const [document] = await Array.fromAsync(client.lines<EventDocument>(`/events?${idQuery('event.id', eventId)}`));
  if (document === undefined) throw new OperatorError(`the event ${eventId} is no longer on the bus`);
  const set = compileRules({ sources, catalogue: documents, kinds: kindsOfDocuments });
  const about = set.rules.find(({ name }) => name === rule);
  if (about === undefined) throw new OperatorError(whyNoRule(set, rule));
  const explanation = explain(about, document);
  return { rule, holds: explanation.holds, event: { number: 1, id: eventId, document, laid: [], explanation } };
}

async function eventOfAlert(id: string, client: ApiClient): Promise<string> {
  const [alert] = await Array.fromAsync(client.lines<Alert>(`/alerts?${idQuery('id', id)}`));
  const event = alert?.events.at(-1);
  if (event === undefined) throw new OperatorError(`there is no alert ${id}: ringfence alerts --json lists them`);
  return event;
}

function idQuery(field: string, id: string): URLSearchParams {
  return new URLSearchParams({ limit: '1', where: `${field} = '${id.replaceAll(/['\\]/g, '')}'` });
}

/** Catalogue for documents of events of any kind. A field with an argument is looked up in the list of the document. */
const documents = {
  fields: catalogue.fields.map(({ subject: _, part: __, kinds: ___, locate: ____, ...field }) => ({
    ...field,
    get: (document: EventDocument, argument?: string | number) => ofDocument(field, document[field.name], argument),
  })),
};
const kindsOfDocuments = { names: eventKinds.names, of: (): number => 0 };

function ofDocument({ argument: takes }: Field, value: FieldValue, argument: string | number | undefined): FieldValue {
  if (argument === undefined || typeof value !== 'object') return value;
  if (takes === 'index') return value[Number(argument) - 1] === undefined ? undefined : [value[Number(argument) - 1]!];
  const found = value.find((item) => item.startsWith(`${argument}=`));
  return found === undefined ? undefined : [found.slice(String(argument).length + 1)];
}
