// Tiles that are likely to be wanted next, fetched while nothing else is, and held until they are asked for.

const IN_FLIGHT_MAX = 4;
const TILES_MAX = 200;
const BYTES_MAX = 32 * 2 ** 20;

interface Flight {
  readonly control: AbortController;
  /** Undefined when it did not come: whoever wants it asks again, and is told why. */
  readonly blob: Promise<Blob | undefined>;
  /** Undefined while it is on its way. */
  bytes: number | undefined;
  taken: boolean;
}

export class Ahead {
  private readonly flights = new Map<string, Flight>();
  private queue: string[] = [];

  /** Fetch these, a few at a time and in this order, and nothing else any more. */
  fetch(urls: readonly string[]): void {
    const wanted = new Set(urls.slice(0, TILES_MAX));
    for (const url of [...this.flights.keys()]) if (!wanted.has(url)) this.drop(url);
    this.queue = [...wanted].filter((url) => !this.flights.has(url));
    this.go();
  }

  /** One moved: begin nothing more, and end what is on its way and not among these. */
  narrow(urls: readonly string[]): void {
    this.queue = [];
    const wanted = new Set(urls);
    for (const [url, { bytes }] of [...this.flights]) if (bytes === undefined && !wanted.has(url)) this.drop(url);
  }

  /** What was fetched or is on its way; undefined for anything else. */
  take(url: string): Promise<Blob | undefined> | undefined {
    const flight = this.flights.get(url);
    if (!flight) return undefined;
    flight.taken = true;
    if (flight.bytes !== undefined) this.flights.delete(url);
    return flight.blob;
  }

  stop(): void {
    this.fetch([]);
  }

  private drop(url: string): void {
    this.flights.get(url)?.control.abort();
    this.flights.delete(url);
  }

  private go(): void {
    const flights = [...this.flights.values()];
    const held = flights.reduce((bytes, flight) => bytes + (flight.bytes ?? 0), 0);
    const open = IN_FLIGHT_MAX - flights.filter(({ bytes }) => bytes === undefined).length;
    if (held < BYTES_MAX) for (const url of this.queue.splice(0, Math.max(open, 0))) this.begin(url);
  }

  private begin(url: string): void {
    const control = new AbortController();
    const flight: Flight = { control, blob: bring(url, control.signal), bytes: undefined, taken: false };
    this.flights.set(url, flight);
    void flight.blob.then((blob) => {
      flight.bytes = blob?.size ?? 0;
      if ((!blob || flight.taken) && this.flights.get(url) === flight) this.flights.delete(url);
      this.go();
    });
  }
}

function bring(url: string, signal: AbortSignal): Promise<Blob | undefined> {
  const asked = { credentials: "same-origin", headers: { Accept: "image/jpeg" }, priority: "low", signal } as const;
  return fetch(url, asked)
    .then((response) => (response.ok ? response.blob() : undefined))
    .catch(() => undefined);
}
