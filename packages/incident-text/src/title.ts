import type { Incident } from '@ringfence/wire';
import { tacticText } from './words.ts';

const MAX_PARTS = 5;
const EXECUTABLE_MAX = 128;
const ID_SHOWN = 12;

/**
 * Returns what an incident is about: "Reverse shell, persistence and credential access by /bin/sh in container web-1
 * (image debug:1)". An incident without its lead, from 0.1.0, has its title as text.
 */
export function incidentTitle(incident: Incident): string {
  const { lead, stages, container, hosts } = incident;
  if (lead === null) return incident.title;
  const tactics = stages.map(({ tactic }) => tactic).filter((tactic) => !lead.tactics.includes(tactic));
  const parts = [lead.rule, ...tactics.map(tacticText)];
  const subject = listOf(
    parts.length > MAX_PARTS ? [...parts.slice(0, MAX_PARTS - 1), `${parts.length - MAX_PARTS + 1} more`] : parts,
  );
  const actor = lead.executable === '' ? '' : ` by ${lead.executable.slice(0, EXECUTABLE_MAX)}`;
  const place = container === null ? '' : ` in container ${container.name || container.id.slice(0, ID_SHOWN)}`;
  const image = container === null || container.image === '' ? '' : ` (image ${container.image})`;
  return `${subject}${actor}${place}${image}${hosts.length > 1 ? `, on ${hosts.length} hosts` : ''}`;
}

/** "a, b and c" */
const listOf = (parts: readonly string[]): string =>
  parts.length === 1 ? (parts[0] as string) : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
