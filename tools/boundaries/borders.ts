import { isBuiltin } from 'node:module';
import { ARROWS } from './arrows.ts';
import { type Import, type Package, type Problem, SCOPE, type Tree } from './tree.ts';

/** Finds imports that bypass the exports of a package, are not declared, or follow no allowed arrow. */
export function checkBorders(tree: Tree, arrows: Readonly<Record<string, readonly string[]>> = ARROWS): Problem[] {
  const root = rootDependencies(tree);
  return tree.typescript.flatMap((file) =>
    tree.importsOf(file).flatMap((imported) => {
      const texts = problemsOf({ tree, file, imported, arrows, root });
      return texts.map((text): Problem => ({ file, line: imported.line, text }));
    }),
  );
}

interface ImportContext {
  readonly tree: Tree;
  readonly file: string;
  readonly imported: Import;
  readonly arrows: Readonly<Record<string, readonly string[]>>;
  readonly root: ReadonlySet<string>;
}

function problemsOf({ tree, file, imported, arrows, root }: ImportContext): string[] {
  const { specifier } = imported;
  const from = tree.packageOf(file);
  if (specifier.startsWith('.')) {
    const target = tree.resolve(file, specifier);
    const to = target === undefined ? undefined : tree.packageOf(target);
    if (target === undefined || to === from) return [];
    if (to === undefined) return [`${specifier} leaves the package ${from?.name}: move what it needs into a package`];
    return [`${specifier} goes around the exports of ${to.name}: import ${SCOPE}${to.name}`];
  }
  if (isBuiltin(specifier)) return [];
  const isProduct = from !== undefined && file.startsWith(`${from.folder}/src/`);
  const declared =
    from === undefined ? root : isProduct ? from.dependencies : new Set([...from.devDependencies, ...root]);
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  const problems: string[] = [];
  if (!declared.has(name) && name !== `${SCOPE}${from?.name}`)
    problems.push(`${name} is not declared in ${from?.folder ?? '.'}/package.json`);
  const to = tree.packageNamed(specifier);
  if (to === undefined) return problems;
  if (!to.entries.has(specifier)) problems.push(`${specifier} is not among the exports of ${to.name}`);
  if (from !== undefined && isProduct) problems.push(...arrowProblems(from, to, arrows));
  return problems;
}

function arrowProblems(from: Package, to: Package, arrows: Readonly<Record<string, readonly string[]>>): string[] {
  if (from === to) return [];
  if (isService(from) && isService(to)) return [`the service ${from.name} imports the service ${to.name}`];
  const allowed = arrows[from.name] ?? [];
  if (allowed.includes('*') || allowed.includes(to.name)) return [];
  return [`${from.name} may not use ${to.name}: tools/boundaries/arrows.ts has no such arrow`];
}

const isService = ({ folder }: Package): boolean => folder.startsWith('services/');

function rootDependencies(tree: Tree): ReadonlySet<string> {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(tree.read('package.json')) as {
    dependencies?: object;
    devDependencies?: object;
  };
  return new Set([...Object.keys(dependencies), ...Object.keys(devDependencies)]);
}
