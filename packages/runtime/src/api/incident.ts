import type { IncidentDossier, TrailReader } from '@ringfence/auditor';
import { OperatorError } from '@ringfence/base';
import type { App } from '../app.ts';

/** Returns the audit trail. Throws OperatorError when this process can't read it. */
export function auditOf({ audit }: App): TrailReader {
  if (audit === null)
    throw new OperatorError('the auditor does not run in this process: run this command where the auditor runs');
  return audit;
}

/** Returns an incident with the records that belong to it. Throws OperatorError when there is none with this id. */
export async function incidentDossier(audit: TrailReader, id: string): Promise<IncidentDossier> {
  const dossier = await audit.incident(id);
  if (dossier === undefined) throw new OperatorError(`there is no incident ${id}: ringfence incidents lists them`);
  return dossier;
}
