import { candidatesOfAlert, candidatesOfIncident } from '@ringfence/responder';
import { type ApiClient, MAX_LISTED } from '@ringfence/runtime/client';
import { type Alert, type Incident, U64_ZERO } from '@ringfence/wire';

type Candidates = ReturnType<typeof candidatesOfAlert>;

export interface History {
  readonly alerts: readonly Alert[];
  readonly incidents: readonly Incident[];
  /** Whether older records were left out */
  readonly isCut: boolean;
}

/** Reads the stored alerts and incidents that are not older. `from`: µs since the epoch. */
export async function historyOf(client: ApiClient, from: number): Promise<History> {
  const query = `from=${from}&limit=${MAX_LISTED}`;
  const alerts = await Array.fromAsync(client.lines<Alert>(`/alerts?${query}`));
  const incidents = await Array.fromAsync(client.lines<Incident>(`/incidents?${query}`));
  const isCut = [alerts, incidents].some(({ length }) => length >= MAX_LISTED);
  return { alerts: alerts.map(withoutStart), incidents: incidents.map(withoutStarts), isCut };
}

/** Returns the processes of one alert or incident. */
export async function candidatesWithId(client: ApiClient, id: string): Promise<Candidates> {
  const { alerts, incidents } = await historyOf(client, 0);
  return [
    ...alerts.filter((alert) => alert.id === id).flatMap(candidatesOfAlert),
    ...incidents.filter((incident) => incident.id === id).flatMap(candidatesOfIncident),
  ];
}

/** The API writes bytes as text. Only a command needs the start of a process, and none is written here. */
const withoutStart = (alert: Alert): Alert => ({
  ...alert,
  lineage: alert.lineage.map((process) => ({ ...process, start: U64_ZERO })),
});

const withoutStarts = (incident: Incident): Incident => ({
  ...incident,
  alerts: incident.alerts.map((alert) => ({
    ...alert,
    target: alert.target === null ? null : { ...alert.target, start: U64_ZERO },
  })),
});
