import { incidentTitle, storyLines } from '@ringfence/incident-text';
import type { Incident, IncidentProcess, OperatorAction } from '@ringfence/wire';
import type { IncidentDossier } from '../sqlite/read/dossier.ts';
import type { BundledChain, Manifest } from './format.ts';
import { inert } from './inert.ts';

export interface PageInput {
  readonly dossier: IncidentDossier;
  readonly actions: readonly OperatorAction[];
  readonly chains: readonly BundledChain[];
  readonly hashes: readonly { readonly path: string; readonly sha256: string }[];
  readonly about: Pick<Manifest, 'createdAt' | 'createdBy' | 'omitted' | 'records'>;
}

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
table{border-collapse:collapse;width:100%}th,td{border:1px solid #c8ced6;padding:.3rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}i{font-style:normal;background:#ffe08a;border-radius:3px;padding:0 .2em;font-size:.8em}
code,ul.tree{font-family:ui-monospace,monospace;font-size:.9em}@media(prefers-color-scheme:dark){body{background:#14171a;color:#e6e9ec}i{color:#222}}`;

const timeOf = (micros: number): string => {
  const date = new Date(micros / 1000);
  return Number.isNaN(date.getTime()) ? 'unknown' : date.toISOString();
};

const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<table><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join('')}</tr>${rows
    .map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`)
    .join('\n')}</table>`;

const section = (title: string, body: string): string => `<h2>${title}</h2>\n${body}`;

/** Returns a page that opens offline, runs nothing, loads nothing and links nowhere. */
export function pageOf({ dossier, actions, chains, hashes, about }: PageInput): string {
  const { incident } = dossier;
  const title = inert(incidentTitle(incident));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width"><title>Incident ${inert(incident.id).replace(/<[^>]*>/g, '')}</title>
<style>${STYLE}</style></head><body>
<h1>${title}</h1>
${factsOf(incident)}
${section(
  'Story',
  `<ol>${storyLines(incident)
    .map((line) => `<li>${inert(line)}</li>`)
    .join('\n')}</ol>`,
)}
${section('Processes', `<ul class="tree">${treeOf(incident)}</ul>`)}
${section('Alerts', alertsOf(dossier))}
${section('Orders and results', ordersOf(dossier))}
${section(
  'Hashes of files',
  hashes.length === 0
    ? '<p>None is known.</p>'
    : table(
        ['file', 'SHA-256'],
        hashes.map(({ path, sha256 }) => [inert(path), inert(sha256)]),
      ),
)}
${section('What operators did', actionsOf(actions))}
${section('Proof', proofOf(chains, about))}
</body></html>
`;
}

function factsOf({
  id,
  severity,
  score,
  hostId,
  firstSeen,
  lastSeen,
  state,
  status,
  verdict,
  container,
}: Incident): string {
  const rows = [
    ['Id', inert(id)],
    ['Severity', `${inert(severity)}, score ${score.toFixed(0)}`],
    ['State', inert(`${state}, ${status}, ${verdict.replaceAll('_', ' ')}`)],
    ['Host', inert(hostId)],
    ['Time', `${timeOf(firstSeen)} to ${timeOf(lastSeen)}`],
    ['Container', container === null ? 'none' : inert(`${container.name} (${container.image}, ${container.id})`)],
  ];
  return table(['Fact', 'Value'], rows);
}

/** Each process is drawn once, because parents in hostile data may form a loop. */
function treeOf({ processes }: Incident): string {
  const children = Map.groupBy(processes, ({ parentEntityId }) => parentEntityId);
  const known = new Set(processes.map(({ entityId }) => entityId));
  const drawn = new Set<string>();
  const parts: string[] = [];
  // A stack instead of recursion: a chain of parents may be thousands long.
  const open: (IncidentProcess | 'close')[] = processes
    .filter((process) => !known.has(process.parentEntityId))
    .reverse();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === 'close') parts.push('</ul></li>');
    else if (!drawn.has(next.entityId)) {
      const { entityId, pid, user, executable, args } = next;
      drawn.add(entityId);
      parts.push(`<li>${inert(executable)} pid ${pid} ${inert(user)} ${inert(args)}<ul>`);
      open.push('close', ...(children.get(entityId) ?? []).toReversed());
    }
  }
  return parts.join('\n');
}

function alertsOf({ alerts }: IncidentDossier): string {
  const rows = alerts.map(({ timestamp, rule, priority, tactics, techniques, output }) => [
    timeOf(timestamp),
    inert(rule),
    inert(priority),
    inert([...tactics, ...techniques].join(' ')),
    inert(output),
  ]);
  return table(['Time', 'Rule', 'Priority', 'Tactics and techniques', 'Output'], rows);
}

function ordersOf({ commands, results }: IncidentDossier): string {
  if (commands.length === 0) return '<p>No action was ordered.</p>';
  const byId = new Map(results.map((result) => [result.id, result]));
  const rows = commands.map(({ id, issuedAt, action, executable, pid, policy, reason }) => {
    const result = byId.get(id);
    const outcome = result === undefined ? 'no result' : `${result.outcome} ${result.reason} ${timeOf(result.at)}`;
    return [
      timeOf(issuedAt),
      inert(`${action} ${executable} (pid ${pid})`),
      inert(`${policy}: ${reason}`),
      inert(outcome),
    ];
  });
  return table(['Time', 'Order', 'Policy', 'Result'], rows);
}

function actionsOf(actions: readonly OperatorAction[]): string {
  if (actions.length === 0) return '<p>No action on this incident is recorded.</p>';
  const rows = actions.map(({ at, user, uid, claimedUser, hostname, action, reason }) => {
    const claimed = claimedUser === '' ? '' : ` (claimed: ${claimedUser})`;
    return [timeOf(at), inert(`${user} (${uid})${claimed} on ${hostname}`), inert(action), inert(reason)];
  });
  return table(['Time', 'Operator', 'Action', 'Reason'], rows);
}

function proofOf(
  chains: readonly BundledChain[],
  { createdAt, createdBy, omitted, records }: PageInput['about'],
): string {
  const count = Object.values(records).reduce((sum, number) => sum + number, 0);
  const rows = chains.map(({ topic, partition, kind, from, hashes, head, published }) => [
    inert(`${topic}/${partition} ${kind}`),
    `${from} to ${from + hashes.length - 1} of ${head}`,
    published === null ? 'none' : 'published',
  ]);
  return `<p>Exported on ${inert(createdBy.hostname)} at ${new Date(createdAt).toISOString()}: ${count} records, ${omitted} left out.
<code>ringfence audit verify --bundle FILE</code> checks the signature, each file, each record and its chain.</p>
${table(['Chain', 'Hashes', 'Head'], rows)}`;
}
