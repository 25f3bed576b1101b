import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventKinds, type FieldValue } from '@ringfence/fields';
import { EventJudge, Judge, readGiven, type Witness, Witnesses } from '@ringfence/rule-lab';
import { type CompiledRule, type Operand, readOperand } from '@ringfence/rules';
import { createSigningKey, EventView, type SigningKey } from '@ringfence/wire';
import { builtIn, sources } from '../content.ts';
import { remembered, Sandbox } from '../lab/sandbox.ts';
import type { LabSensor } from '../lab/sensor.ts';
import { Slice } from '../lab/slice.ts';
import { hostOf } from '../recordings/library.ts';
import { FIRST_PLAN, Plan } from './plan.ts';
import { Scene } from './scene.ts';

type Rule = CompiledRule<EventView>;
type Entries = Extract<Witness, { kind: 'witness' }>['events'][number];
type Values = ReadonlyMap<string, FieldValue>;

/** What a witness became on the running kernel. */
export type Performance =
  | { readonly kind: 'same' }
  | { readonly kind: 'different'; readonly differences: readonly string[] }
  | { readonly kind: 'unperformed'; readonly why: string };

/** A witness as it is to be performed, and the values of the fields that the rule names. */
interface Script {
  readonly plan: Plan;
  readonly image: string | undefined;
  readonly named: Values;
}

const LIMIT_MS = 20_000;
const PREPARE = join(import.meta.dirname, 'prepare.py');
/** Fields that number a process, a place or a time: every performance has its own. */
const ITS_OWN =
  /(?:^|\.)(?:pid|ppid|vpid|entity_id|written_ago|uptime|duration)$|^(?:@timestamp|host\.|source\.|container\.(?:id|name)|user\.name|process\.(?:start|exec\.writer))/;
/** Ancestors of a performance are those of the witness, and above them the sandbox. */
const LINEAGE = /^process\.ancestors\./;

/** Performs witnesses of the built-in rules in sandboxes. */
export class Performer implements Disposable {
  readonly #judge = new Judge(sources);
  readonly #witnesses = new Witnesses(this.#judge);
  readonly #key: SigningKey = createSigningKey();
  readonly #sensor: LabSensor;
  readonly #programsDir = mkdtempSync(join(tmpdir(), 'ringfence-witness-'));
  #take: (batch: Buffer) => void = () => {};
  #number = 0;

  /** @param compile compiles test/kernel/programs/NAME.c to the path `output` */
  constructor(sensor: LabSensor, compile: (name: string, output: string) => void) {
    this.#sensor = sensor;
    chmodSync(this.#programsDir, 0o755);
    compile('actor', join(this.#programsDir, 'actor'));
    copyFileSync(PREPARE, join(this.#programsDir, 'prepare.py'));
  }

  /** Takes the sensor's batches. */
  take(batch: Buffer): void {
    this.#take(batch);
  }

  async perform(name: string): Promise<Performance> {
    const rule = this.#judge.rule(name);
    if (rule === undefined) throw new Error(`there is no rule "${name}"`);
    const script = this.#scriptOf(rule);
    if ('why' in script) return { kind: 'unperformed', why: script.why };
    const batches = await this.#play(rule, script);
    return this.#compare(rule, batches, script.named);
  }

  #scriptOf(rule: Rule): Script | { readonly why: string } {
    const witness = this.#witnesses.of(rule);
    if (witness.kind !== 'witness') return { why: 'it has no witness' };
    const { events } = witness;
    if (events.some((entries) => 'message' in entries)) return { why: 'a line of a log is no event of the sensor' };
    if (events.some((entries) => 'after' in entries)) return { why: 'it takes longer than a test' };
    const adopted = FORMS.map((form) => events.map(form)).find((form) => this.#raises(rule, form));
    return this.#staged(rule, adopted ?? events);
  }

  #raises(rule: Rule, events: readonly Entries[]): boolean {
    const { alerts } = this.#judge.judge(givenOf(events), { keep: () => false, observe: () => {} });
    return alerts.some((alert) => alert.rule === rule.name);
  }

  #staged(rule: Rule, events: readonly Entries[]): Script | { readonly why: string } {
    const plan = new Plan(events.flatMap(variablesOf));
    const places = new Set<string>();
    let refused: { readonly why: string } | undefined;
    let named: Values = new Map();
    const observe = (view: EventView): void => {
      const kind = eventKinds.names[view.cursor.kind] ?? '';
      const scene = new Scene(kind, view);
      places.add(scene.text('container.id') === '' ? '' : scene.text('container.image.repository') || 'shop/web');
      refused ??= plan.add(scene);
      named = namedOf(rule, view);
    };
    this.#judge.judge(givenOf(events), { keep: () => false, observe });
    const [place = '', ...others] = places;
    if (others.length > 0) return { why: 'it happens in several places' };
    return refused ?? { plan, named, image: place === '' ? undefined : `${place}:1` };
  }

  async #play({ name: rule }: Rule, { plan, image }: Script): Promise<Buffer[]> {
    for (const [file, calls] of plan.plans)
      writeFileSync(join(this.#programsDir, file), calls.map((call) => `${call}\n`).join(''));
    writeFileSync(join(this.#programsDir, 'prepare.json'), JSON.stringify(plan.prepared));
    const name = `ringfence-witness-${process.pid}-${this.#number++}`;
    const { containersDir } = this.#sensor;
    await using sandbox = new Sandbox({ name, image, containersDir, programsDir: this.#programsDir });
    const isWanted = remembered((cgroup) => sandbox.holds(cgroup));
    const slice = new Slice({ hostId: hostOf(rule), bootId: hostOf(rule), key: this.#key, isWanted });
    const batches: Buffer[] = [];
    this.#take = (batch) => {
      const taken = slice.take(batch);
      if (taken !== undefined) batches.push(taken);
    };
    // The shell of the script may be a copy of the actor by now, which reads the same plan.
    const setup = `python3 /opt/lab/prepare.py; export PLAN=/opt/lab/${FIRST_PLAN}`;
    await sandbox.play('exec /opt/lab/actor', LIMIT_MS, setup);
    await this.#sensor.settle();
    this.#take = () => {};
    return batches;
  }

  /** Compares the event of the alert with the witness, in the fields that the rule names. */
  #compare({ name }: Rule, batches: readonly Buffer[], wanted: Values): Performance {
    const view = new EventView();
    const found: (readonly string[])[] = [];
    const judge = new EventJudge({
      rules: builtIn(),
      keyFor: () => this.#key.publicKey,
      onMatch: (rule) => rule.name === name && found.push(differences(wanted, namedOf(rule, view))),
    });
    for (const record of batches)
      for (const batch of judge.enricher.enrich(hostOf(name), record)) {
        view.open(batch);
        while (view.next()) judge.judge(view);
      }
    const [first = ['the rule does not match']] = found.sort((a, b) => a.length - b.length);
    return first.length === 0 ? { kind: 'same' } : { kind: 'different', differences: first };
  }

  [Symbol.dispose](): void {
    rmSync(this.#programsDir, { recursive: true, force: true });
  }
}

const givenOf = (events: readonly Entries[]) => events.map((entries) => readGiven(Object.entries(entries)));

/** Forms of an event that a sandbox can have, from the one that it can have best to the one of the witness. */
const FORMS: readonly ((entries: Entries) => Entries)[] = [
  (entries) => withParent(withPlace(entries)),
  withPlace,
  (entries) => entries,
];

/** A parent, unless the witness names one. */
function withParent(entries: Entries): Entries {
  const isGiven = Object.keys(entries).some((key) => /^(?:parent$|process\.(?:parent|ancestors)\.)/.test(key));
  return isGiven ? entries : { ...entries, 'process.parent.executable': '/usr/bin/starter' };
}

/** A port that somebody listens on, and a file on the file system of its new name, unless the witness names them. */
function withPlace(entries: Entries): Entries {
  const target = entries['event.action'] === 'symlink' ? '' : String(entries['file.target_path'] ?? '');
  const folder = `/${target.split('/')[1] || 'srv'}`;
  const socket = entries['network.unix.path'];
  return {
    ...('destination.ip' in entries ? { 'destination.port': 443 } : {}),
    ...(ON_FILES.has(entries['event.action']) ? { 'file.path': `${folder}/file` } : {}),
    ...entries,
    // The sensor names the place of a socket, and /var/run is a link.
    ...(typeof socket === 'string' ? { 'network.unix.path': socket.replace(/^\/var\/run\//, '/run/') } : {}),
  };
}

const ON_FILES: ReadonlySet<unknown> = new Set([
  ...['open', 'rename', 'link', 'symlink', 'unlink', 'rmdir', 'mkdir', 'chmod', 'truncate'],
]);

function variablesOf(entries: Entries): string[] {
  return Object.entries(entries).flatMap(([key, value]) => {
    const [, name] = /^process\.env_vars\[(.*)\]$/.exec(key) ?? [];
    return name === undefined ? [] : [`${name}=${value}`];
  });
}

/** Returns the values of the operands that the event's kind has, by their text. */
function namedOf({ operands }: Rule, view: EventView): Values {
  const kind = eventKinds.names[view.cursor.kind] ?? '';
  const isNamed = ({ key, field: { name, kinds } }: Operand<EventView>): boolean =>
    !ITS_OWN.test(name) && !key.includes('process.pid') && (kinds === undefined || kinds.includes(kind));
  return new Map(operands.filter(isNamed).map((operand) => [operand.key, readOperand(operand, view)]));
}

function differences(wanted: Values, actual: Values): string[] {
  return [...wanted].flatMap(([name, value]) => {
    const other = actual.get(name);
    // Above the ancestors of the witness are those of the sandbox.
    const length = LINEAGE.test(name) ? ((value as readonly string[] | undefined)?.length ?? 0) : undefined;
    const shown =
      length === undefined ? other : other === undefined ? [] : (other as readonly string[]).slice(0, length);
    const [a, b] = [JSON.stringify(length === undefined ? value : (value ?? [])), JSON.stringify(shown)];
    return a === b ? [] : [`${name} is ${b}, not ${a}`];
  });
}
