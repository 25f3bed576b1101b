/** Renders the SVG pictures of the documents from the Graphviz sources in docs/pictures. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { instance, type RenderOptions } from '@viz-js/viz';

/** Classes of nodes and edges in the sources. Text of 12 points is a note, larger text a name. */
const STYLE = [
  'text{fill:#0f172a}',
  'text[font-size="12.00"]{fill:#475569}',
  '.node path,.node polygon{fill:#f8fafc;stroke:#475569;stroke-width:1.5}',
  '.edge path{stroke:#475569;stroke-width:1.5}',
  '.edge polygon{fill:#475569;stroke:#475569}',
  '.frame path,.frame polygon{fill:#fff;stroke:#94a3b8;stroke-dasharray:6 4}',
  '.kernel path,.kernel polygon{fill:#fef3c7;stroke:#b45309}',
  '.store path,.store polygon{fill:#e0f2fe;stroke:#0369a1}',
  '.topic path,.topic polygon{fill:#fff;stroke:#94a3b8}',
  '.danger path,.danger polygon{fill:#fee2e2;stroke:#b91c1c}',
  '.edge.back path,.edge.back polygon{stroke:#b91c1c}.edge.back polygon{fill:#b91c1c}',
  '.edge.back path{fill:none;stroke-dasharray:6 4}',
  '.edge.quiet path,.edge.quiet polygon{stroke:#0369a1}.edge.quiet polygon{fill:#0369a1}',
  '.edge.quiet path{fill:none;stroke-dasharray:2 4}',
].join('');

const FONT = 'Arial';
const OPTIONS: RenderOptions = {
  format: 'svg',
  graphAttributes: { fontname: FONT, fontsize: 14, bgcolor: 'white', pad: 0.15 },
  nodeAttributes: { fontname: FONT, fontsize: 15, shape: 'box', style: 'rounded', margin: '0.14,0.09' },
  edgeAttributes: { fontname: FONT, fontsize: 12, arrowsize: 0.8 },
};

export interface Picture {
  /** Path below the root of the tree. */
  readonly path: string;
  readonly text: string;
}

/** Renders every source. @param root root of the tree */
export async function pictures(root: string): Promise<readonly Picture[]> {
  const viz = await instance();
  const sources = readdirSync(join(root, 'docs/pictures')).filter((name) => name.endsWith('.dot'));
  return sources.sort().map((name) => {
    const source = readFileSync(join(root, 'docs/pictures', name), 'utf8');
    return { path: `docs/pictures/${name.replace('.dot', '.svg')}`, text: styled(viz.renderString(source, OPTIONS)) };
  });
}

/**
 * Adds the style and a description for screen readers. One point of Graphviz becomes one pixel, which preserves the
 * size of text.
 */
function styled(svg: string): string {
  const title = /<title>(.*?)<\/title>/s.exec(svg)?.[1] ?? '';
  return svg
    .slice(svg.indexOf('<svg'))
    .replaceAll(`font-family="${FONT}"`, 'font-family="Arial,Helvetica,sans-serif"')
    .replaceAll(/<!--.*?-->\n?/gs, '')
    .replaceAll(/<title>.*?<\/title>\n?/gs, '')
    .replace(/width="(\d+)pt" height="(\d+)pt"/, `width="$1" height="$2" role="img" aria-label="${title}"`)
    .replace(/(<svg[^>]*>)/, `$1\n<style>${STYLE}</style>`);
}
