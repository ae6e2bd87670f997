// A line between windows of one browser: what one tells, all others of the line's name hear, and nobody else.

export class Line<Message> {
  private readonly channel: BroadcastChannel;
  private readonly listeners = new Set<(message: Message) => void>();

  constructor(name: string) {
    this.channel = new BroadcastChannel(`vienanh ${name}`);
    this.channel.onmessage = ({ data }: MessageEvent<Message>) => {
      for (const listener of [...this.listeners]) listener(data);
    };
  }

  tell(message: Message): void {
    this.channel.postMessage(message);
  }

  /** Returns what ends it. */
  hear(listener: (message: Message) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  end(): void {
    this.channel.close();
  }
}
