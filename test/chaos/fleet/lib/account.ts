import { documentIdOf, readHeads, verifyAudit } from '@ringfence/auditor';
import { loadConfig } from '@ringfence/config';
import { decode, EventView, type Incident, type Result, TOPIC } from '@ringfence/wire';
import type { Produced } from './agent.ts';
import type { ChaosFleet } from './fleet.ts';

/** The account of one kind of record in one place. */
export interface Row {
  readonly label: string;
  readonly produced: number;
  readonly stored: number;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
}

export interface Account {
  readonly rows: readonly Row[];
  /** Records that were delivered again, without effect */
  readonly redelivered: number;
  /** Dead letters whose record is in the audit trail */
  readonly setAside: number;
  /** Descriptions of all other problems */
  readonly problems: readonly string[];
}

function row(label: string, expected: Iterable<string>, found: ReadonlyMap<string, number>): Row {
  const all = [...expected];
  const lost = all.filter((id) => !found.has(id));
  const doubled = all.filter((id) => (found.get(id) ?? 0) > 1);
  return { label, produced: all.length, stored: all.length - lost.length, lost, doubled };
}

/** Records on the bus that belong to events produced since the case began. */
interface OnBus {
  readonly events: ReadonlyMap<string, number>;
  /** Ids of alerts by output text */
  readonly alerts: ReadonlyMap<string, ReadonlySet<string>>;
  /** Output text of the command's alert, by command id */
  readonly commands: ReadonlyMap<string, string>;
  /** Distinct outcomes by command id */
  readonly results: ReadonlyMap<string, ReadonlySet<string>>;
  readonly incidents: ReadonlyMap<string, Incident>;
  readonly redelivered: number;
  readonly deadLetters: readonly string[];
}

/** Returns the ids of alerts that open an incident on their own. */
function urgentOf(alerts: OnBus['alerts']): string[] {
  return [...alerts].flatMap(([text, ids]) => (text.includes('rfvictim') ? [...ids] : []));
}

/** Returns a problem with the outcomes for each command that was not carried out. */
function notCarriedOut({ results }: OnBus, carriedOut: ReadonlyMap<string, number>): string[] {
  const remaining = [...results].filter(([id]) => !carriedOut.has(id));
  return remaining.map(([id, outcomes]) => `command ${id} was not carried out: ${[...outcomes].join('; ')}`);
}

/** Compares the events of a case with the bus, the stores and the processes. `from` is before its first record, µs. */
export class Auditing {
  readonly #fleet: ChaosFleet;
  readonly #from: number;

  constructor(fleet: ChaosFleet, from: number) {
    this.#fleet = fleet;
    this.#from = from;
  }

  /** Returns the events, alerts and victims of all agents. */
  produced(): Produced {
    const all: Produced = { events: new Set(), alerts: new Set(), victims: new Map() };
    for (const { produced } of this.#fleet.agents) {
      for (const id of produced.events) all.events.add(id);
      for (const text of produced.alerts) all.alerts.add(text);
      for (const [text, child] of produced.victims) all.victims.set(text, child);
    }
    return all;
  }

  /** Returns whether every record has arrived in every place. */
  async isComplete(): Promise<boolean> {
    const { events, alerts, victims } = this.produced();
    const { store } = this.#fleet;
    const { names } = store;
    if ((await store.total(names.events)) < events.size) return false;
    const stored = await store.count(names.events, events);
    if (stored.size < events.size) return false;
    const bus = await this.#bus();
    const ids = [...alerts].map((text) => bus.alerts.get(text)?.values().next().value);
    if (ids.some((id) => id === undefined) || bus.results.size < victims.size) return false;
    const inIncidents = new Set([...bus.incidents.values()].flatMap((incident) => incident.alerts.map(({ id }) => id)));
    if (urgentOf(bus.alerts).some((id) => !inIncidents.has(id))) return false;
    const alertDocuments = (ids as string[]).map((id) => documentIdOf('alert', id));
    const resultDocuments = [...bus.results.keys()].map((id) => documentIdOf('result', id));
    const storedAlerts = await store.count(names.alerts, alertDocuments);
    return (
      storedAlerts.size + bus.deadLetters.length >= alertDocuments.length &&
      (await store.count(names.actions, resultDocuments)).size === resultDocuments.length
    );
  }

  async account(): Promise<Account> {
    const { store, agents } = this.#fleet;
    const { names } = store;
    const { events, alerts, victims } = this.produced();
    const bus = await this.#bus();
    const alertIds = [...alerts].flatMap((text) => [...(bus.alerts.get(text) ?? [])]);
    const perText = new Map([...bus.alerts].map(([text, ids]) => [text, ids.size]));
    const commandsPerText = new Map<string, number>();
    for (const text of bus.commands.values()) commandsPerText.set(text, (commandsPerText.get(text) ?? 0) + 1);
    const commandIds = [...bus.commands.keys()];
    const outcomes = new Map([...bus.results].map(([id, all]) => [id, all.size]));
    const carriedOut = new Map(agents.flatMap(({ executed }) => [...executed]));
    const killed = new Map(
      [...victims].filter(([, { signalCode }]) => signalCode === 'SIGKILL').map(([text]) => [text, 1] as const),
    );
    const inTrail = await store.count(
      names.audit,
      alertIds.map((id) => documentIdOf('alert', id)),
    );
    const storedAlerts = await store.count(
      names.alerts,
      alertIds.map((id) => documentIdOf('alert', id)),
    );
    const refused = alertIds.filter(
      (id) => !storedAlerts.has(documentIdOf('alert', id)) && inTrail.has(documentIdOf('alert', id)),
    );
    const setAside = Math.min(refused.length, bus.deadLetters.length);
    for (const id of refused.slice(0, setAside)) storedAlerts.set(documentIdOf('alert', id), 1);
    const rows = [
      row('events on the bus', events, new Map([...bus.events.keys()].map((id) => [id, 1]))),
      row('events stored', events, await store.count(names.events, events)),
      row('alerts raised', alerts, perText),
      row(
        'alerts stored',
        alertIds.map((id) => documentIdOf('alert', id)),
        storedAlerts,
      ),
      row(
        'alerts in the trail',
        alertIds.map((id) => documentIdOf('alert', id)),
        inTrail,
      ),
      row('kills ordered', victims.keys(), commandsPerText),
      row('kills carried out', commandIds, carriedOut),
      row('processes killed', victims.keys(), killed),
      row('outcomes', commandIds, outcomes),
      row(
        'commands stored',
        commandIds.map((id) => documentIdOf('command', id)),
        await store.count(
          names.actions,
          commandIds.map((id) => documentIdOf('command', id)),
        ),
      ),
      row(
        'outcomes stored',
        commandIds.map((id) => documentIdOf('result', id)),
        await store.count(
          names.actions,
          commandIds.map((id) => documentIdOf('result', id)),
        ),
      ),
    ];
    const problems = [
      ...this.#incidentProblems(bus),
      ...notCarriedOut(bus, carriedOut),
      ...(await this.#trailProblems()),
    ];
    const unexplained = bus.deadLetters.slice(setAside);
    if (unexplained.length > 0)
      problems.push(`${unexplained.length} unexpected dead letters, for example: ${unexplained[0]}`);
    for (const { dropped, hostId } of agents) if (dropped > 0) problems.push(`${hostId} dropped ${dropped} batches`);
    return { rows, redelivered: bus.redelivered, setAside, problems };
  }

  #incidentProblems({ incidents, alerts }: OnBus): string[] {
    const owners = new Map<string, string[]>();
    for (const { id, state, alerts: members } of incidents.values())
      if (state !== 'merged') for (const alert of members) owners.set(alert.id, [...(owners.get(alert.id) ?? []), id]);
    const shared = [...owners].filter(([, ids]) => ids.length > 1);
    const problems = shared.length === 0 ? [] : [`${shared.length} alerts belong to more than one incident`];
    const orphans = urgentOf(alerts).filter((id) => !owners.has(id));
    if (orphans.length > 0) problems.push(`${orphans.length} alerts that request a kill belong to no incident`);
    return problems;
  }

  /** Verifies the chains of the audit trail against the heads on the bus. */
  async #trailProblems(): Promise<string[]> {
    const [auditor] = this.#fleet.of('auditor');
    const config = loadConfig({ file: auditor?.configFile ?? '', flags: [] });
    const { nodes: _, ...rest } = config.auditor.elasticsearch;
    const direct = { ...config.auditor, elasticsearch: { ...rest, nodes: [this.#fleet.servers.search.url] } };
    const heads = await readHeads(this.#fleet.bus.read({ topic: TOPIC.auditHeads }), undefined);
    const { problems } = await verifyAudit(direct, heads);
    return problems.map(
      ({ type, topic, partition, kind, seq, id }) => `audit trail: ${type} ${topic}/${partition} ${kind} ${seq} ${id}`,
    );
  }

  async #bus(): Promise<OnBus> {
    const { bus } = this.#fleet;
    const produced = this.produced();
    const events = new Map<string, number>();
    const view = new EventView();
    for await (const value of this.#records(TOPIC.events)) {
      view.open(value);
      while (view.next()) if (produced.events.has(view.id)) events.set(view.id, (events.get(view.id) ?? 0) + 1);
    }
    let redelivered = [...events.values()].reduce((sum, n) => sum + n - 1, 0);
    const alerts = new Map<string, Set<string>>();
    const textOf = new Map<string, string>();
    for await (const value of this.#records(TOPIC.alerts)) {
      const { id, output } = decode('Alert', value);
      if (!produced.alerts.has(output)) continue;
      if (textOf.has(id)) redelivered++;
      textOf.set(id, output);
      alerts.set(output, (alerts.get(output) ?? new Set()).add(id));
    }
    const commands = new Map<string, string>();
    for await (const value of this.#records(TOPIC.commands)) {
      const { id, cause } = decode('Command', value);
      const text = textOf.get(cause);
      if (text === undefined) continue;
      if (commands.has(id)) redelivered++;
      commands.set(id, text);
    }
    const results = new Map<string, Set<string>>();
    for await (const value of this.#records(TOPIC.results)) {
      const { id, outcome, reason, at }: Result = decode('Result', value);
      if (!commands.has(id)) continue;
      if (results.has(id)) redelivered++;
      results.set(id, (results.get(id) ?? new Set()).add(`${outcome} ${reason} ${at}`));
    }
    const incidents = new Map<string, Incident>();
    for await (const { value } of bus.read({ topic: TOPIC.incidents })) {
      if (value === null) continue;
      const incident = decode('Incident', value);
      if ((incidents.get(incident.id)?.version ?? -1) <= incident.version) incidents.set(incident.id, incident);
    }
    const deadLetters: string[] = [];
    for await (const value of this.#records(TOPIC.dlq)) {
      const { stage, topic, reason } = decode('DeadLetter', value);
      deadLetters.push(`${stage} ${topic}: ${reason}`.slice(0, 300));
    }
    return { events, alerts, commands, results, incidents, redelivered, deadLetters };
  }

  async *#records(topic: string): AsyncGenerator<Uint8Array> {
    for await (const { value } of this.#fleet.bus.read({ topic, from: this.#from })) if (value !== null) yield value;
  }
}
