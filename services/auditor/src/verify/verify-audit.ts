import { type AuditorOptions, clusterOf } from '../config.ts';
import { verifyCluster } from '../elasticsearch/verify.ts';
import { AuditReader } from '../sqlite/reader.ts';
import type { PublishedHeads } from './heads.ts';
import type { Verification } from './verification.ts';

/** Verifies the trail that the options select, against itself and the heads published on the bus. */
export async function verifyAudit(
  options: AuditorOptions,
  published: PublishedHeads,
  progress?: (records: number) => void,
): Promise<Verification> {
  const cluster = clusterOf(options);
  const verification =
    cluster === null
      ? verifyFile(options.path, published, progress)
      : await verifyCluster(cluster, published.heads, progress);
  const { forged } = published;
  return {
    ...verification,
    problems: [...forged, ...verification.problems],
    problemCount: verification.problemCount + forged.length,
  };
}

function verifyFile(path: string, { heads }: PublishedHeads, progress?: (records: number) => void): Verification {
  using reader = new AuditReader(path);
  return reader.verify(heads, progress);
}
