/**
 * A list that turns its own pages.
 *
 * Iterate it for its entries, or `pages()` for whole pages. A page is asked for when its first
 * entry is wanted; each iteration begins at the first page.
 */
export class List<Page, Entry> implements AsyncIterable<Entry> {
  readonly #pages: () => AsyncGenerator<Page, void, undefined>;
  readonly #entries: (page: Page) => readonly Entry[];

  /** @internal */
  constructor(
    pages: () => AsyncGenerator<Page, void, undefined>,
    entries: (page: Page) => readonly Entry[],
  ) {
    this.#pages = pages;
    this.#entries = entries;
  }

  /** Each entry once, in the server's order. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Entry, void, undefined> {
    for await (const page of this.#pages()) yield* this.#entries(page);
  }

  /** Each page, the whole response message. */
  pages(): AsyncGenerator<Page, void, undefined> {
    return this.#pages();
  }
}
