import { dirname, join, normalize } from 'node:path';
import type { Problem, Tree } from './tree.ts';

/** A path below one of the folders of the root, in a comment or document. */
const PATH =
  /(?<![\w@/.:$<-])((?:packages|services|cli|test|tools|rules|bpf|docs|deploy|policies)\/[\w./@-]*\w)(?:#([\w-]+))?/g;
const LINK = /\]\(([^)\s#:]*)(?:#([\w-]+))?\)/g;
/** Upper case is a placeholder: `bpf/NAME.bpf.c`. */
const PLACEHOLDER = /\b[A-Z]{2,}\b/;

/** The generated documents that list every setting and every field of rules. */
const SETTINGS = 'docs/CONFIGURATION.md';
const FIELDS = 'docs/FIELDS.md';

/** Finds references in comments and documents to a file, section or setting that does not exist. */
export function checkReferences(tree: Tree): Problem[] {
  const folders = foldersOf(tree);
  const settings: Settings = { keys: namesIn(tree, SETTINGS), fields: new Set(namesIn(tree, FIELDS)) };
  return tree.files.flatMap((file) =>
    proseOf(tree, file).flatMap(({ line, text }) => {
      const texts = [...pathProblems(tree, folders, file, text), ...settingProblems(settings, text)];
      return texts.map((problem): Problem => ({ file, line, text: problem }));
    }),
  );
}

interface Settings {
  readonly keys: readonly string[];
  /** Dotted names that are fields, not settings. */
  readonly fields: ReadonlySet<string>;
}

/** Returns the settings of the first column, or the fields and their aliases of any column. */
function namesIn(tree: Tree, file: string): string[] {
  if (!tree.has(file)) return [];
  const row = file === SETTINGS ? /^\| `([\w.]+)`/gm : /`([a-z][\w.]*\.[\w.]+)`/g;
  return Array.from(tree.read(file).matchAll(row), ([, name = '']) => name);
}

interface Prose {
  readonly line: number;
  readonly text: string;
}

function proseOf(tree: Tree, file: string): readonly Prose[] {
  if (file === 'CHANGELOG.md') return [];
  if (file.endsWith('.md'))
    return tree
      .read(file)
      .split('\n')
      .map((text, index) => ({ line: index + 1, text }));
  if (!/\.(?:ts|mjs|c|h)$/.test(file) || file.includes('.generated.')) return [];
  return tree
    .scanned(file)
    .comments.flatMap(({ line, text }) =>
      text.split('\n').map((part, offset) => ({ line: line + offset, text: part })),
    );
}

function foldersOf(tree: Tree): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const file of tree.files)
    for (let folder = dirname(file); folder !== '.'; folder = dirname(folder)) folders.add(folder);
  return folders;
}

function pathProblems(tree: Tree, folders: ReadonlySet<string>, file: string, text: string): string[] {
  const isMarkdown = file.endsWith('.md');
  const named = [...text.matchAll(PATH)]
    .filter(({ 1: path = '' }) => !PLACEHOLDER.test(path))
    .map(({ 1: path = '', 2: anchor }) => ({ path, anchor }));
  const linked = isMarkdown
    ? [...text.matchAll(LINK)].map(({ 1: path = '', 2: anchor }) => ({
        path: path === '' ? file : normalize(join(dirname(file), path)),
        anchor,
      }))
    : [];
  const exists = (path: string): boolean =>
    tree.has(path) || tree.has(`${path}.ts`) || folders.has(path.replace(/\/$/, ''));
  // A README can name files by their path from its own folder.
  const isFound = (path: string): boolean => exists(path) || exists(normalize(join(dirname(file), path)));
  return [...named, ...linked].flatMap(({ path, anchor }) => {
    if (!isFound(path)) return [`${path} does not exist`];
    if (anchor === undefined || !path.endsWith('.md') || !tree.has(path)) return [];
    return anchorsOf(tree.read(path)).has(anchor) ? [] : [`${path} has no section #${anchor}`];
  });
}

/** Returns the anchors that GitHub generates for the headings. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = markdown.matchAll(/^#+ (.+)$/gm);
  return new Set(
    Array.from(headings, ([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[`*]|\[([^\]]*)\]\([^)]*\)/g, '$1')
        .replaceAll(/[^\p{L}\p{N}\s-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );
}

function settingProblems({ keys, fields }: Settings, text: string): string[] {
  const sections = new Set(keys.filter((key) => key.includes('.')).map((key) => key.split('.')[0]));
  const named = text.matchAll(/`([a-z][A-Za-z]*(?:\.[a-z][A-Za-z]*)+)`/g);
  return Array.from(named, ([, name = '']) => name)
    .filter((name) => sections.has(name.split('.')[0]) && !fields.has(name) && !/\.(?:ts|md|c|h|o|yaml)$/.test(name))
    .filter((name) => !keys.some((key) => key === name || key.startsWith(`${name}.`)))
    .map((name) => `there is no setting ${name}`);
}
