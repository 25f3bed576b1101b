import { type AddHelpTextContext, type AddHelpTextPosition, Command, type ErrorOptions } from 'commander';

const DEFAULT_WIDTH = 80;

/**
 * A command whose help text is wrapped at the width of the terminal, and whose errors name the help to read. Its
 * subcommands behave alike.
 */
export class HelpfulCommand extends Command {
  override createCommand(name?: string): HelpfulCommand {
    return new HelpfulCommand(name);
  }

  override addHelpText(
    position: AddHelpTextPosition,
    text: string | ((context: AddHelpTextContext) => string | undefined),
  ): this {
    return super.addHelpText(position, (context) => {
      const { getOutHelpWidth, getErrHelpWidth } = this.configureOutput();
      const width = context.error ? getErrHelpWidth?.() : getOutHelpWidth?.();
      return wrapText((typeof text === 'string' ? text : text(context)) ?? '', width ?? DEFAULT_WIDTH);
    });
  }

  override error(message: string, options?: ErrorOptions): never {
    const names = [this.name()];
    for (let { parent } = this; parent !== null; parent = parent.parent) names.unshift(parent.name());
    const contents = this.commands.length > 0 ? 'commands' : 'arguments and options';
    this.showHelpAfterError(`(${names.join(' ')} --help lists the ${contents})`);
    return super.error(message, options);
  }
}

/** Wraps prose at `width`. Indented lines are examples and stay as they are. */
export function wrapText(text: string, width: number): string {
  const lines: string[] = [];
  let previousIsProse = false;
  for (const line of text.split('\n')) {
    const isProse = /^\S/.test(line);
    if (!isProse) lines.push(line);
    else if (!previousIsProse) lines.push(...wrapParagraph(line, width));
    else lines.push(...wrapParagraph(`${lines.pop() ?? ''} ${line}`, width));
    previousIsProse = isProse;
  }
  return lines.join('\n');
}

function wrapParagraph(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
