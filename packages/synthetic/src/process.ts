import { type Credentials, type Namespaces, UNSET_ID, u64FromBigInt } from '@ringfence/wire';

/** A process of a synthetic host, with the state that its next event needs. */
export class SyntheticProcess {
  readonly tgid: number;
  /** ns, CLOCK_BOOTTIME. */
  readonly start: bigint;
  readonly parent: SyntheticProcess | undefined;
  cgroup: bigint;
  execId: number;
  credentials: Credentials;
  namespaces: Namespaces;
  loginuid: number;
  sessionId: number;
  tty: number;
  /** Numbers of the leaders in its own pid namespace; 0: unknown there. */
  processGroup: number;
  processSession: number;

  constructor(tgid: number, start: bigint, parent: SyntheticProcess | undefined, cgroup: bigint) {
    this.tgid = tgid;
    this.start = start;
    this.parent = parent;
    this.cgroup = cgroup;
    this.execId = parent?.execId ?? 0;
    this.credentials = parent?.credentials ?? ROOT;
    this.namespaces = { ...(parent?.namespaces ?? HOST_NAMESPACES), pidInNs: tgid };
    this.loginuid = parent?.loginuid ?? UNSET_ID;
    this.sessionId = parent?.sessionId ?? UNSET_ID;
    this.tty = parent?.tty ?? 0;
    this.processGroup = parent?.processGroup ?? tgid;
    this.processSession = parent?.processSession ?? tgid;
  }

  get startBytes(): Buffer {
    return u64FromBigInt(this.start);
  }
}

const ALL = u64FromBigInt(0x1ffffffffffn);
const NONE = u64FromBigInt(0n);

const HOST_NAMESPACES: Namespaces = {
  mnt: 4026531841,
  pid: 4026531836,
  net: 4026531840,
  user: 4026531837,
  uts: 4026531838,
  ipc: 4026531839,
  cgroup: 4026531835,
  pidInNs: 0,
};

/** Returns credentials with all ids equal: root has all capabilities, any other user none. */
export function credentialsOf(uid: number, gid: number = uid): Credentials {
  const capabilities = uid === 0 ? ALL : NONE;
  return {
    uid,
    gid,
    euid: uid,
    egid: gid,
    suid: uid,
    sgid: gid,
    fsuid: uid,
    fsgid: gid,
    capEffective: capabilities,
    capPermitted: capabilities,
    capInheritable: NONE,
  };
}

const ROOT: Credentials = credentialsOf(0);
