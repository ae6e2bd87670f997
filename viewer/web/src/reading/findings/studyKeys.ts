// The key images of a study while it is in the room. No React.

import { openKeyImages, saveKeyImages } from "../../api/keyImages";
import type { StudyKey } from "../../api/queries";
import type { KeyImage, KeyImageChoice } from "../../api/types";
import { createStore, type Store } from "../../engine/emitter";
import { isSecond } from "../beside/pair";
import { Shared } from "../beside/shared";
import { changesOf, laidOver, readChanges, together, written } from "../drafts/changes";
import { Draft } from "../drafts/draft";
import { Keeping } from "./keeping";

/** The purposes that can be chosen; names are keys of the language files (findings:purpose.*). */
export const PURPOSES = [
  "ofInterest",
  "forReferringProvider",
  "forSurgery",
  "forTeaching",
  "forConference",
  "forReport",
] as const;
export type Purpose = (typeof PURPOSES)[number];

interface Choice {
  readonly purpose: string;
  readonly images: readonly KeyImage[];
}

const NOTHING: Choice = { purpose: PURPOSES[0], images: [] };
/** The server takes no more. */
const IMAGES_MAX = 500;

export class KeysOfStudy {
  readonly choice: Store<Choice> = createStore(NOTHING);
  readonly others: Store<readonly KeyImageChoice[]> = createStore<readonly KeyImageChoice[]>([]);
  readonly unsaved: Store<boolean> = createStore(false);
  readonly draft: Draft;
  private readonly shared: Shared;
  readonly keeping: Keeping<KeyImageChoice>;
  private kept: Choice = NOTHING;
  private sent: Choice = NOTHING;

  constructor(study: StudyKey) {
    const ways = {
      written: () => this.written(),
      lay: (content: string) => this.lay(content),
      drop: () => this.choice.set(this.kept),
    };
    this.draft = new Draft(study, "key-images", ways, !isSecond());
    this.shared = new Shared(study, "key-images", {
      instance: () => this.keeping.state.get().instance,
      written: ways.written,
      become: (content) => {
        this.choice.set(this.kept);
        this.lay(content);
      },
      reopen: () => void this.keeping.open(),
    });
    this.keeping = new Keeping<KeyImageChoice>({
      open: async () => {
        const result = await openKeyImages(study);
        if (result.ok) this.others.set(result.value.others);
        return result;
      },
      save: (base) => {
        this.sent = this.choice.get();
        return saveKeyImages(study, base, this.sent.purpose, this.sent.images);
      },
      onOpened: ({ title, images }) => {
        const mine = this.choice.get().images.filter((one) => !isIn(images, one) && !isIn(this.kept.images, one));
        this.kept = { purpose: title, images };
        this.choice.set(mine.length > 0 ? { purpose: title, images: [...images, ...mine] } : this.kept);
        this.shared.opened();
        void this.draft.open();
      },
      onSaved: () => {
        this.kept = this.sent;
        this.compare();
      },
    });
    this.choice.subscribe(() => this.compare());
    void this.keeping.open();
  }

  /** Choose an image, or no more. */
  toggle(image: KeyImage): void {
    const { purpose, images } = this.choice.get();
    const others = images.filter((one) => !isSame(one, image));
    if (others.length < images.length) this.choice.set({ purpose, images: others });
    else if (images.length < IMAGES_MAX) this.choice.set({ purpose, images: [...images, image] });
  }

  dedicate(purpose: string): void {
    this.choice.set({ ...this.choice.get(), purpose });
  }

  end(): void {
    this.keeping.end();
    this.draft.end();
    this.shared.end();
  }

  private compare(): void {
    this.unsaved.set(this.choice.get() !== this.kept);
    this.draft.note();
    this.shared.note();
  }

  private changes() {
    return changesOf(named(this.kept.images), named(this.choice.get().images), isSame);
  }

  private written(): string {
    const { purpose } = this.choice.get();
    return written(this.changes(), purpose === this.kept.purpose ? {} : { purpose });
  }

  private lay(content: string): void {
    const theirs = readChanges<NamedImage>(content);
    if (!theirs) return;
    const own = this.choice.get().purpose;
    const purpose = own === this.kept.purpose ? (theirs.purpose ?? own) : own;
    const laid = laidOver(named(this.kept.images), together(this.changes(), theirs), isSame);
    this.choice.set({ purpose, images: laid.map(({ uid: _, ...image }) => image) });
    if (this.written() === "") this.choice.set(this.kept);
  }
}

type NamedImage = KeyImage & { readonly uid: string };

function named(images: readonly KeyImage[]): readonly NamedImage[] {
  return images.map((image) => ({ ...image, uid: `${image.sopInstanceUID} ${image.frameNumber ?? 1}` }));
}

function isSame(one: KeyImage, other: KeyImage): boolean {
  return one.sopInstanceUID === other.sopInstanceUID && (one.frameNumber ?? 1) === (other.frameNumber ?? 1);
}

export function isIn(images: readonly KeyImage[], image: KeyImage): boolean {
  return images.some((one) => isSame(one, image));
}
