import { ArrayBlocks, EventCursor } from '../avro/cursor.ts';
import { processLeaves } from '../avro/layout.ts';
import type { LongLeaf } from '../avro/leaf.ts';
import { itemType } from '../avro/schemas.ts';
import { processLeaf } from '../generated/leaves.generated.ts';
import type { Process } from '../generated/types.generated.ts';
import { executableName } from '../values/path.ts';
import { decodeText, splitText } from '../values/text.ts';

const MAX_DEPTH = 64;
const ENTITY_ID_BYTES = 16;
const processType = itemType('EventBatch', 'processes');

/** A process of a batch. Each property is decoded once, when it is first read. */
export class ProcessInfo {
  readonly #list: ProcessList;
  readonly #index: number;
  #raw: Process | undefined;
  #executable: string | undefined;
  #name: string | undefined;
  #args: readonly string[] | undefined;
  #commandLine: string | undefined;
  #entityId: string | undefined;
  #user: string | undefined;
  #workingDirectory: string | undefined;
  #environment: readonly string[] | undefined;

  constructor(list: ProcessList, index: number) {
    this.#list = list;
    this.#index = index;
  }

  /** Decodes the whole process, which costs some ten times as much as `long`. */
  get raw(): Process {
    this.#raw ??= this.#list.decode(this.#index);
    return this.#raw;
  }

  get parent(): ProcessInfo | undefined {
    return this.#list.parentOf(this.#index);
  }

  get pid(): number {
    return this.#list.pidOf(this.#index);
  }

  /** Index of the container in the head of the batch; -1 on the host. */
  get container(): number {
    return this.#list.containerOf(this.#index);
  }

  /** Returns a number of the process, read in place. */
  long(leaf: LongLeaf): number {
    return this.#list.leavesOf(this.#index).leafLong(leaf);
  }

  get executable(): string {
    this.#executable ??= this.#list.executableOf(this.#index);
    return this.#executable;
  }

  get name(): string {
    this.#name ??= executableName(this.executable);
    return this.#name;
  }

  get args(): readonly string[] {
    this.#args ??= this.#list.argsOf(this.#index);
    return this.#args;
  }

  /** Arguments joined by spaces. */
  get commandLine(): string {
    this.#commandLine ??= this.args.join(' ');
    return this.#commandLine;
  }

  /** Entity id in hex. */
  get entityId(): string {
    this.#entityId ??= this.#list.entityIdOf(this.#index);
    return this.#entityId;
  }

  /** Real user id. */
  get uid(): number {
    return this.#list.uidOf(this.#index);
  }

  /** Effective user id. */
  get euid(): number {
    return this.#list.euidOf(this.#index);
  }

  /** Name of the effective user; empty when unknown. */
  get user(): string {
    this.#user ??= this.#list.leavesOf(this.#index).leafText(processLeaf.user);
    return this.#user;
  }

  get workingDirectory(): string {
    this.#workingDirectory ??= this.#list.leavesOf(this.#index).leafText(processLeaf.cwd);
    return this.#workingDirectory;
  }

  /** Last component of the path that was passed to exec; empty when unknown. */
  get startedAs(): string {
    return this.#list.leavesOf(this.#index).leafText(processLeaf.startedAs);
  }

  /** NAME=value of the recorded variables. */
  get environment(): readonly string[] {
    this.#environment ??= this.#list.leavesOf(this.#index).leafTexts(processLeaf.environment);
    return this.#environment;
  }

  get execFlags(): number {
    return this.long(processLeaf.execFlags);
  }

  /** Returns the n-th ancestor; 0 is the process itself. */
  ancestor(n: number): ProcessInfo | undefined {
    let process: ProcessInfo | undefined = this;
    for (let i = 0; i < n && process !== undefined; i++) process = process.parent;
    return process;
  }
}

/** Offsets of a process in its batch, and what most readers need. */
interface ProcessRow {
  readonly at: number;
  /** Index of the parent; -1 for none. */
  readonly parent: number;
  /** Number of ancestors in the batch. */
  readonly depth: number;
  readonly executableAt: number;
  readonly executableEnd: number;
  readonly argsAt: number;
  readonly argsEnd: number;
  readonly pid: number;
  readonly container: number;
  readonly uid: number;
  readonly euid: number;
}

/**
 * The processes of a batch. All are walked at once, so that reading them never throws, and decoded when they are read.
 */
export class ProcessList {
  readonly #buffer: Buffer;
  readonly #rows: ProcessRow[] = [];
  readonly #infos: (ProcessInfo | undefined)[] = [];
  #leaves: EventCursor | undefined;
  #leavesOf = -1;

  /**
   * Reads the array at the cursor and moves past it. Throws SchemaError. The bytes must not change while they are read.
   */
  constructor(cursor: EventCursor) {
    this.#buffer = cursor.buffer;
    for (const blocks = new ArrayBlocks(cursor); blocks.more(); ) {
      this.#rows.push(this.#readRow(cursor));
      this.#infos.push(undefined);
    }
  }

  get length(): number {
    return this.#rows.length;
  }

  /** Returns undefined if no process has this index. */
  at(index: number): ProcessInfo | undefined {
    if (index < 0 || index >= this.#rows.length) return undefined;
    this.#infos[index] ??= new ProcessInfo(this, index);
    return this.#infos[index];
  }

  parentOf(index: number): ProcessInfo | undefined {
    return this.at(this.#row(index).parent);
  }

  decode(index: number): Process {
    return processType.decode(this.#buffer, this.#row(index).at).value as Process;
  }

  executableOf(index: number): string {
    const { executableAt, executableEnd } = this.#row(index);
    return decodeText(this.#buffer, executableAt, executableEnd);
  }

  argsOf(index: number): readonly string[] {
    const { argsAt, argsEnd } = this.#row(index);
    return splitText(this.#buffer, argsAt, argsEnd);
  }

  /** Reads leaves in place, for properties that are rarely read: `raw` would decode the whole process. */
  leavesOf(index: number): EventCursor {
    this.#leaves ??= new EventCursor();
    if (this.#leavesOf !== index) {
      this.#leaves.reset(this.#buffer, this.#row(index).at);
      this.#leaves.readRecord(processLeaves);
      this.#leavesOf = index;
    }
    return this.#leaves;
  }

  entityIdOf(index: number): string {
    const { at } = this.#row(index);
    return this.#buffer.toString('hex', at, at + ENTITY_ID_BYTES);
  }

  pidOf(index: number): number {
    return this.#row(index).pid;
  }

  containerOf(index: number): number {
    return this.#row(index).container;
  }

  uidOf(index: number): number {
    return this.#row(index).uid;
  }

  euidOf(index: number): number {
    return this.#row(index).euid;
  }

  /** A process has no parent if its index is not that of an earlier process: hostile bytes could form a cycle. */
  #readRow(cursor: EventCursor): ProcessRow {
    const { at } = cursor;
    cursor.readRecord(processLeaves);
    const parent = cursor.leafLong(processLeaf.parent);
    const depth = (this.#rows[parent]?.depth ?? -1) + 1;
    const executableAt = cursor.leafAt(processLeaf.executable);
    const argsAt = cursor.leafAt(processLeaf.args);
    return {
      at,
      parent: depth === 0 || depth > MAX_DEPTH ? -1 : parent,
      depth: depth > MAX_DEPTH ? 0 : depth,
      executableAt,
      executableEnd: executableAt + cursor.leafLength(processLeaf.executable),
      argsAt,
      argsEnd: argsAt + cursor.leafLength(processLeaf.args),
      pid: cursor.leafLong(processLeaf.pid),
      container: cursor.leafLong(processLeaf.container),
      uid: cursor.leafLong(processLeaf.credentials.uid),
      euid: cursor.leafLong(processLeaf.credentials.euid),
    };
  }

  #row(index: number): ProcessRow {
    return this.#rows[index] as ProcessRow;
  }
}
