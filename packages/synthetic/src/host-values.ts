import type {
  Accept,
  Connect,
  ContainerContext,
  Credentials,
  FileChange,
  MountChange,
  Open,
  ProcessAccess,
  Socket,
} from '@ringfence/wire';
import type { Words } from './body.ts';

export interface HashValues {
  /** 64 hex digits. */
  readonly sha256?: string;
  readonly skipped?: string;
  /** Change time of the file, µs since the epoch. @default that of every exec */
  readonly ctime?: number;
  readonly lasting?: boolean;
  /** The hash is that of the script, not of its interpreter. */
  readonly script?: boolean;
}
export type OpenValues = Partial<Omit<Open, 'path' | 'reached' | 'inode' | 'rawPath' | 'realInode'>> & {
  readonly reached?: Words;
  readonly inode?: bigint;
  readonly rawPath?: Words;
  readonly realInode?: bigint;
};
export type ChangeValues = Partial<
  Omit<FileChange, 'path' | 'target' | 'inode' | 'length' | 'operation' | 'rawPath' | 'rawTarget'>
> & {
  readonly target?: Words;
  readonly rawPath?: Words;
  readonly rawTarget?: Words;
  readonly inode?: bigint;
  readonly length?: bigint;
};
export type MountChangeValues = Partial<
  Omit<MountChange, 'source' | 'target' | 'filesystem' | 'options' | 'operation'>
> & {
  readonly source?: Words;
  readonly target?: Words;
  readonly filesystem?: Words;
  readonly options?: Words;
};
export type ConnectValues = Partial<Omit<Connect, 'address' | 'path' | 'port' | 'localAddress'>> & {
  readonly localAddress?: Words;
};
export type AcceptValues = Partial<Omit<Accept, 'address' | 'port' | 'localAddress' | 'localPort'>>;
export type ProcessAccessValues = Partial<Omit<ProcessAccess, 'targetTgid' | 'targetStart'>>;
export type SocketValues = Partial<Omit<Socket, 'path'>> & { readonly path?: Words };
export type CredentialValues = Partial<Credentials>;
export type ContainerValues = Partial<Omit<ContainerContext, 'cgroupId'>> & { readonly cgroup: bigint };
