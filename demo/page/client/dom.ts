/** The element of the page that has this id. */
export function byId<T extends Element>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`Cannot run the page as #${id} must be a ${type.name}: current value is ${element?.nodeName ?? "nothing"}`);
}

/** A new element with a class and what it holds. */
export function make<K extends keyof HTMLElementTagNameMap>(name: K, className: string, ...content: (string | Node)[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  if (className !== "") element.className = className;
  element.append(...content);
  return element;
}
