import { existsSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '@ringfence/base';
import type { EnrichmentSource } from '@ringfence/host-kit';
import { ifReadable } from '@ringfence/host-kit';
import { hostSource } from './host.ts';
import { mountsSource } from './mounts.ts';
import { usersSource } from './users.ts';

export interface HostSourceOptions {
  /** root of the host's file system, as the agent sees it */
  readonly hostRoot: string;
  /** whether executables are hashed */
  readonly isHashing: boolean;
}

/** Sources of what the host's own files contain: its name, users and mounts. */
export function hostSources({ hostRoot, isHashing }: HostSourceOptions, log: Log): EnrichmentSource[] {
  if (hostRoot === '/') return [hostSource('/', isHashing), usersSource(), mountsSource()];
  const users = join(hostRoot, 'etc/passwd');
  if (!existsSync(users))
    log.warn({ hostRoot }, "the host's / is not there: users and containers have no names, runtimes are not protected");
  // The list of pid 1 is the host's, where it may be read; else one's own, in which hostRoot is in front.
  const pid = ifReadable(() => readlinkSync('/proc/1/ns/mnt')) === null ? 'self' : '1';
  return [
    hostSource(hostRoot, isHashing),
    usersSource(users),
    mountsSource(`/proc/${pid}/mountinfo`, `/proc/${pid}/ns/mnt`),
  ];
}
