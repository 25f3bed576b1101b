import { closeSync, constants, openSync, readlinkSync, realpathSync } from 'node:fs';
import { descriptorPath, O_PATH, openFollowingLinks } from '@ringfence/host-kit';
import { isMissing } from '../files/refusals.ts';

/** The folder that a host's / is, with its links read as that host reads them. */
export class HostRoot {
  readonly path: string;

  constructor(path: string) {
    this.path = realpathSync(path);
  }

  /** Path of this process for a path of the host. */
  pathOf(hostPath: string): string {
    return this.path === '/' ? hostPath : `${this.path}${hostPath}`;
  }

  /** The path of the host for a path of this process. */
  hostPathOf(path: string): string {
    return this.path === '/' ? path : path.slice(this.path.length);
  }

  /**
   * Resolves the links of a path of the host, none of which can leave the root. Returns the path of this process; null
   * if there is no such file. Throws SystemCallError.
   */
  resolve(hostPath: string): string | null {
    const root = openSync(this.path, O_PATH | constants.O_DIRECTORY);
    try {
      const fd = openFollowingLinks(root, Buffer.from(hostPath));
      try {
        return readlinkSync(descriptorPath(fd));
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    } finally {
      closeSync(root);
    }
  }
}
