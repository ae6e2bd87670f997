// Text that follows the engine without React: it changes with every mouse move.

import { useEffect, useRef } from "react";
import type { Store } from "../../engine/emitter";

export interface LiveProps<T> {
  readonly store: Store<T>;
  readonly children: (value: T) => string;
  readonly className?: string | undefined;
}

export function Live<T>({ store, children, className }: LiveProps<T>) {
  const ref = useRef<HTMLSpanElement>(null);
  const tell = useRef(children);
  useEffect(() => {
    tell.current = children;
    if (ref.current) ref.current.textContent = children(store.get());
  });
  useEffect(
    () =>
      store.subscribe(() => {
        const text = tell.current(store.get());
        if (ref.current && ref.current.textContent !== text) ref.current.textContent = text;
      }),
    [store],
  );
  return <span ref={ref} className={className} />;
}
