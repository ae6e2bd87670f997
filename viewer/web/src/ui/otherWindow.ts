// A window and the other one that it opens, on another screen where there is one, and the line between them. The other is
// known by its name, which is the line's as well: only these two have it, so nobody else hears.

import { Line } from "./line";
import { placeOnOtherScreen } from "./otherScreen";
import { randomName } from "./randomName";

export class OtherWindow<Message> {
  private readonly prefix: string;
  private joined: Line<Message> | undefined;
  private id = "";
  private opened: Window | null = null;
  /** Another window was open when this page was reloaded. */
  private found: boolean | undefined;

  /** `prefix`: what the names of windows of this kind begin with. */
  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** Whether this page is the other window. */
  isHere(): boolean {
    return window.name.startsWith(this.prefix);
  }

  /** Whether this page opened one; it may have been closed since. */
  wasOpened(): boolean {
    return this.opened !== null || this.find();
  }

  /** This page goes; should it only be loaded anew, it finds the other window again. */
  leave(): void {
    if (this.opened ? !this.opened.closed : this.find()) sessionStorage.setItem(this.prefix, this.id);
  }

  tell(message: Message): void {
    this.line().tell(message);
  }

  /** Returns what ends it. */
  hear(listener: (message: Message) => void): () => void {
    return this.line().hear(listener);
  }

  /** Have `message` in the other window, or another one at `address`; false when the browser does not let it open. */
  async show(address: string, message: Message): Promise<boolean> {
    if (this.opened && !this.opened.closed) {
      this.tell(message);
      this.opened.focus();
      return true;
    }
    this.line();
    this.opened = window.open(address, this.prefix + this.id, await placeOnOtherScreen());
    return this.opened !== null;
  }

  /** It was told to close. */
  forget(): void {
    this.opened = null;
    this.found = false;
  }

  private find(): boolean {
    if (this.found === undefined) {
      const kept = this.isHere() ? null : sessionStorage.getItem(this.prefix);
      // Told once: a tab that is made of this one is not this one.
      sessionStorage.removeItem(this.prefix);
      this.found = kept !== null;
      this.id ||= kept ?? "";
    }
    return this.found;
  }

  private line(): Line<Message> {
    this.find();
    if (this.isHere()) this.id = window.name.slice(this.prefix.length);
    else this.id ||= randomName();
    this.joined ??= new Line<Message>(this.id);
    return this.joined;
  }
}
