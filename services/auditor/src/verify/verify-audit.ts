import { type AuditorOptions, clusterOf } from '../config.ts';
import { verifyCluster } from '../elasticsearch/verify.ts';
import { AuditReader } from '../sqlite/reader.ts';
import type { NotedHeads } from './heads.ts';
import type { Verification } from './verification.ts';

/** Verifies the trail that the options name, wherever it is, against itself and the heads noted on the bus. */
export async function verifyAudit(
  options: AuditorOptions,
  noted: NotedHeads,
  progress?: (records: number) => void,
): Promise<Verification> {
  const cluster = clusterOf(options);
  const found =
    cluster === null ? verifyFile(options.path, noted, progress) : await verifyCluster(cluster, noted.heads, progress);
  const { forged } = noted;
  return { ...found, problems: [...forged, ...found.problems], problemCount: found.problemCount + forged.length };
}

function verifyFile(path: string, { heads }: NotedHeads, progress?: (records: number) => void): Verification {
  using reader = new AuditReader(path);
  return reader.verify(heads, progress);
}
