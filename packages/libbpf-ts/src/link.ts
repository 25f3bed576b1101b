import { closeSync } from 'node:fs';
import { disposed } from './errors.ts';
import { linkProgramId, objectId } from './info.ts';
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

/** A program attached to a hook. Unless it is pinned, the hook is left when the link is disposed of or the process ends. */
export class BpfLink implements Disposable {
  /** for messages: the program's name or the pin's path */
  readonly what: string;
  #handle: Handle;

  /** Prefer `program.attach()`. */
  constructor(handle: Pointer, what: string) {
    this.#handle = handle;
    this.what = what;
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
   * Closes the link. libbpf would first disable the event of a tracepoint even though the link is pinned, so a pinned link is let go of instead
   * (its perf event's descriptor, which libbpf doesn't show, then stays open until the process ends).
   */
  [Symbol.dispose](): void {
    const handle = this.#handle;
    if (handle === null) return;
    const pinned = linkPath(handle) !== null;
    const fd = linkFd(handle);
    this.#handle = null;
    if (pinned) disconnect(handle);
    capture(() => destroy(handle));
    if (pinned) closeSync(fd);
  }
}
