/** A page with a mistake that React warns of, and another one that breaks it. */
export default function WrongPage({ breaks }: { breaks: boolean }) {
  if (breaks) throw new Error("broken while it was shown");
  return [<p>One</p>, <p>Two</p>];
}
