import { existsSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '@ringfence/base';
import { type EnrichmentSource, ifReadable } from '@ringfence/host-kit';
import { hostSource } from './host.ts';
import { mountsSource } from './mounts.ts';
import { usersSource } from './users.ts';

export interface HostSourceOptions {
  /** root of the host's file system */
  readonly hostRoot: string;
  /** whether executables are hashed */
  readonly isHashing: boolean;
}

/** Returns the sources that read the host's own files: names and addresses, users, mounts. */
export function hostSources({ hostRoot, isHashing }: HostSourceOptions, log: Log): EnrichmentSource[] {
  if (hostRoot === '/') return [hostSource('/', isHashing), usersSource(), mountsSource()];
  const users = join(hostRoot, 'etc/passwd');
  if (!existsSync(users))
    log.warn(
      { hostRoot },
      "the host's / is not mounted there: users and containers get no names, runtimes are not protected",
    );
  // Use the host's mount list, of pid 1. If it can't be read, use our own, in which every path begins with hostRoot.
  const pid = ifReadable(() => readlinkSync('/proc/1/ns/mnt')) === null ? 'self' : '1';
  return [
    hostSource(hostRoot, isHashing),
    usersSource(users),
    mountsSource(`/proc/${pid}/mountinfo`, `/proc/${pid}/ns/mnt`),
  ];
}
