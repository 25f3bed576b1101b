/**
 * Prints the software bill of materials of an installed tree as CycloneDX 1.6 JSON: `node deploy/image/sbom.mjs`, run
 * in its root. It lists the packages of npm that are installed, with the hashes of package-lock.json, and the packages
 * of Debian. The same tree gives the same bytes, so it has no time and no serial number.
 */
import { existsSync, readFileSync } from 'node:fs';

const STATUS = '/var/lib/dpkg/status';

function npmComponent([path, { version, integrity = '', license }]) {
  const name = path.replace(/^.*node_modules\//, '');
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const [algorithm, digest] = integrity.split('-');
  const hash = { alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(digest ?? '', 'base64').toString('hex') };
  return {
    type: 'library',
    'bom-ref': `${purl}#${path}`,
    ...{ name, version, purl },
    ...(integrity === '' ? {} : { hashes: [hash] }),
    ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
  };
}

/** A paragraph of dpkg's status file. */
function debianComponent(paragraph) {
  const field = (name) => new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1] ?? '';
  const [name, version, architecture] = [field('Package'), field('Version'), field('Architecture')];
  const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}`;
  return { type: 'library', 'bom-ref': purl, name, version, purl };
}

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const { name, version, license } = JSON.parse(readFileSync('package.json', 'utf8'));
const installed = Object.entries(packages).filter(
  ([path, { link }]) => path.includes('node_modules/') && !link && existsSync(path),
);
const paragraphs = existsSync(STATUS) ? readFileSync(STATUS, 'utf8').split('\n\n') : [];
const debian = paragraphs.filter((paragraph) => /^Status: .* installed$/m.test(paragraph));
const product = { type: 'application', 'bom-ref': name, name, version, licenses: [{ expression: license }] };
const bom = {
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  version: 1,
  metadata: { component: product },
  components: [...installed.map(npmComponent), ...debian.map(debianComponent)],
};
process.stdout.write(`${JSON.stringify(bom, null, 2)}\n`);
