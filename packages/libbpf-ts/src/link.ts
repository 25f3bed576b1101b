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
 * The perf event behind a link that was made just now: libbpf opens it right before the link and doesn't show it. undefined: there is none, as for every
 * hook but tracepoints, kprobes and uprobes.
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

/** A program attached to a hook. Unless it is pinned, the hook is left when the link is disposed of or the process ends. */
export class BpfLink implements Disposable {
  /** for messages: the program's name or the pin's path */
  readonly what: string;
  #handle: Handle;
  readonly #perfEvent: number | undefined;
  readonly #links: Set<BpfLink> | undefined;

  /** Prefer `program.attach()`. @param onPerfEvent it was made now, on a perf event @param links has it until it is disposed of */
  constructor(handle: Pointer, what: string, onPerfEvent = false, links?: Set<BpfLink>) {
    this.#handle = handle;
    this.what = what;
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
    if (this.#handle === null) throw disposed(`the link of '${this.what}'`);
    return this.#handle;
  }

  /** @throws ERR_BPF_DISPOSED */
  get fd(): number {
    return linkFd(this.#live);
  }

  get id(): number {
    return objectId(this.fd, `the link of '${this.what}'`, 'ERR_BPF_LINK');
  }

  /** The kernel's id of the program it runs. */
  get programId(): number {
    return linkProgramId(this.fd, `the link of '${this.what}'`);
  }

  /** false: somebody has detached it, which goes with links of cgroups only. */
  get attached(): boolean {
    return linkIsAttached(this.fd, `the link of '${this.what}'`);
  }

  /** null: not pinned */
  get pinPath(): string | null {
    return linkPath(this.#live);
  }

  /** Keeps the program attached beyond this process. */
  pin(path: string): void {
    checked('ERR_BPF_PIN', `pinning the link of '${this.what}' to ${path}`, 'bpf_link__pin', () =>
      linkPin(this.#live, path),
    );
  }

  /** Removes the pin: the link then ends with this process. */
  unpin(): void {
    const path = this.pinPath;
    if (path !== null) removePin(path, `the link of '${this.what}'`);
  }

  /**
   * Runs another program on the same hook from now on, without a gap. The kernel can do it for cgroup, XDP, tcx, netns and iterator links; for
   * tracing ones (tracepoint, tp_btf) it says EINVAL: attach the new program, then dispose of the old link.
   */
  update(program: { readonly fd: number; readonly name: string }): void {
    checked('ERR_BPF_LINK', `replacing '${this.what}' by '${program.name}'`, 'bpf_link_update', () =>
      linkUpdate(this.fd, program.fd, null),
    );
  }

  /** Leaves the hook at once, though the link may be pinned or open elsewhere. Not every kind can: tracing links say EOPNOTSUPP. */
  detach(): void {
    checked('ERR_BPF_LINK', `detaching '${this.what}'`, 'bpf_link__detach', () => linkDetach(this.#live));
  }

  /** Starts one run of an iterator program; the caller disposes of it. */
  iterate(): BpfIterator {
    return new BpfIterator(
      checked('ERR_BPF_ITERATOR', `starting iterator '${this.what}'`, 'bpf_iter_create', () => iterCreate(this.fd)),
      this.what,
    );
  }

  /**
   * Closes the link. libbpf would first disable the event of a tracepoint even though the link is pinned, so a pinned link is let go of instead, and its
   * event with it: the kernel's link holds both. The last pin that is removed then takes them away without anybody waiting: a program that leaves
   * a tracepoint at once, by a link that isn't pinned, costs two grace periods of RCU (some 60 ms on Linux 6.18).
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
