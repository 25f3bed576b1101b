import { closeSync, readlinkSync } from 'node:fs';
import { disposed } from './errors.ts';
import { linkIsAttached, linkProgramId, objectId } from './info.ts';
import { BpfIterator } from './iterator.ts';
import { bpf, type Handle, type Pointer } from './native/library.ts';
import { capture, checked, checkedPointer } from './native/log.ts';
import { removePin } from './pin.ts';

const linkFd: (link: Pointer) => number = bpf('int bpf_link__fd(void *link)');
const linkOpen: (path: string) => Handle = bpf('void *bpf_link__open(const char *path)');
const linkPin: (link: Pointer, path: string) => number = bpf('int bpf_link__pin(void *link, const char *path)');
const linkPath: (link: Pointer) => string | null = bpf('const char *bpf_link__pin_path(void *link)');
const linkDetach: (link: Pointer) => number = bpf('int bpf_link__detach(void *link)');
const disconnect: (link: Pointer) => void = bpf('void bpf_link__disconnect(void *link)');
const destroy: (link: Pointer) => number = bpf('int bpf_link__destroy(void *link)');
const linkUpdate: (fd: number, program: number, options: null) => number = bpf(
  'int bpf_link_update(int fd, int program, void *options)',
);
const iterCreate: (fd: number) => number = bpf('int bpf_iter_create(int fd)');

/** Descriptors of perf events that belong to links of this process. */
const perfEvents = new Set<number>();

/**
 * Returns the perf event behind a newly created link: libbpf opens it right before the link and does not expose it.
 * Only links of tracepoints, kprobes and uprobes have a perf event; returns undefined for other links.
 */
function claimPerfEvent(link: number): number | undefined {
  for (let fd = link - 1; fd > 2; fd--) {
    if (perfEvents.has(fd) || targetOf(fd) !== 'anon_inode:[perf_event]') continue;
    perfEvents.add(fd);
    return fd;
  }
  return undefined;
}

function targetOf(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** A program attached to a hook. Dispose, or the end of the process, detaches it unless the link is pinned. */
export class BpfLink implements Disposable {
  /** name of the program or path of the pin, for messages */
  readonly label: string;
  #handle: Handle;
  readonly #perfEvent: number | undefined;
  readonly #links: Set<BpfLink> | undefined;

  /**
   * Prefer `program.attach()`.
   * @param onPerfEvent whether the link was just created on a perf event
   * @param links set that contains this link until it is disposed of
   */
  constructor(handle: Pointer, label: string, onPerfEvent = false, links?: Set<BpfLink>) {
    this.#handle = handle;
    this.label = label;
    this.#links = links?.add(this);
    this.#perfEvent = onPerfEvent ? claimPerfEvent(linkFd(handle)) : undefined;
  }

  static openPinned(path: string): BpfLink {
    const handle = checkedPointer('ERR_BPF_PIN', `opening the link pinned at ${path}`, 'bpf_link__open', () =>
      linkOpen(path),
    );
    return new BpfLink(handle, path);
  }

  get #live(): Pointer {
    if (this.#handle === null) throw disposed(`the link of '${this.label}'`);
    return this.#handle;
  }

  /** @throws ERR_BPF_DISPOSED */
  get fd(): number {
    return linkFd(this.#live);
  }

  get id(): number {
    return objectId(this.fd, `the link of '${this.label}'`, 'ERR_BPF_LINK');
  }

  /** kernel's id of the program that the link runs */
  get programId(): number {
    return linkProgramId(this.fd, `the link of '${this.label}'`);
  }

  /** false for a link of a cgroup that was detached; always true for other links, which cannot be detached */
  get attached(): boolean {
    return linkIsAttached(this.fd, `the link of '${this.label}'`);
  }

  /** null when the link is not pinned */
  get pinPath(): string | null {
    return linkPath(this.#live);
  }

  /** Keeps the program attached after this process ends. */
  pin(path: string): void {
    checked('ERR_BPF_PIN', `pinning the link of '${this.label}' to ${path}`, 'bpf_link__pin', () =>
      linkPin(this.#live, path),
    );
  }

  /** Removes the pin, so that the link ends with this process. */
  unpin(): void {
    const path = this.pinPath;
    if (path !== null) removePin(path, `the link of '${this.label}'`);
  }

  /**
   * Replaces the program on the hook, without a gap. The kernel supports this for cgroup, XDP, tcx, netns and iterator
   * links. For tracing links (tracepoint, tp_btf) it returns EINVAL: attach the new program, then dispose of the link.
   */
  update(program: { readonly fd: number; readonly name: string }): void {
    checked('ERR_BPF_LINK', `replacing '${this.label}' by '${program.name}'`, 'bpf_link_update', () =>
      linkUpdate(this.fd, program.fd, null),
    );
  }

  /**
   * Detaches the program at once, even if the link is pinned or open in another process. The kernel does not support
   * this for all kinds of links: for tracing links it returns EOPNOTSUPP.
   */
  detach(): void {
    checked('ERR_BPF_LINK', `detaching '${this.label}'`, 'bpf_link__detach', () => linkDetach(this.#live));
  }

  /** Starts one run of an iterator program; the caller disposes of it. */
  iterate(): BpfIterator {
    return new BpfIterator(
      checked('ERR_BPF_ITERATOR', `starting iterator '${this.label}'`, 'bpf_iter_create', () => iterCreate(this.fd)),
      this.label,
    );
  }

  /**
   * Closes the link. libbpf's destroy would disable a tracepoint's perf event even if the link is pinned. Disconnect a
   * pinned link from libbpf first and close only our descriptors: the kernel's link keeps the event alive until the
   * last pin is removed. Removing that pin does not block, whereas destroying an unpinned tracepoint link waits for two
   * RCU grace periods (about 60 ms on Linux 6.18).
   */
  [Symbol.dispose](): void {
    const handle = this.#handle;
    if (handle === null) return;
    const pinned = linkPath(handle) !== null;
    const fd = linkFd(handle);
    this.#handle = null;
    this.#links?.delete(this);
    if (pinned) disconnect(handle);
    capture(() => destroy(handle));
    if (pinned) closeSync(fd);
    if (this.#perfEvent === undefined) return;
    if (pinned) closeSync(this.#perfEvent);
    perfEvents.delete(this.#perfEvent);
  }
}
