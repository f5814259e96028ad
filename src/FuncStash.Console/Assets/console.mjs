// What the console adds where scripts run: times that go on, copy buttons, keys, lists that refresh in their place.
// Everything works without it.

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// ---- times: relative ones go on; a click on any shows all of them exactly, in local time

const units = [[86_400_000, 'days'], [3_600_000, 'h'], [60_000, 'min'], [1000, 's']];
// The server's clock counts.
const skew = Number(document.documentElement.dataset.now) - Date.now();
let exact = localStorage.getItem('times') === 'exact';

function relative(ms) {
  const away = Math.abs(ms - Date.now() - skew);
  if (away < 1000) return 'now';
  let [size, unit] = units.find(([size]) => away >= size) ?? units[3];
  if (unit === 'days' && away < 2 * size) [size, unit] = units[1];
  const text = `${Math.floor(away / size)} ${unit}`;
  return ms > Date.now() + skew ? `in ${text}` : `${text} ago`;
}

function showTimes(root = document) {
  for (const time of all('time[data-ms]', root)) {
    const ms = Number(time.dataset.ms);
    const local = new Date(ms).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
    time.title = `${local}\n${new Date(ms).toISOString()}`;
    if ('local' in time.dataset) time.textContent = local;
    else if (!('exact' in time.dataset)) time.textContent = exact ? local : relative(ms);
  }
}

// ---- copy buttons

function showCopies(root = document) {
  if (navigator.clipboard) all('button[data-copy]', root).forEach(button => { button.hidden = false; });
}

document.addEventListener('click', async event => {
  const button = event.target.closest('button[data-copy]');
  if (button) {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add('done');
    setTimeout(() => button.classList.remove('done'), 1500);
  } else if (event.target.closest('time[data-ms]') && !event.target.closest('a')) {
    exact = !exact;
    localStorage.setItem('times', exact ? 'exact' : '');
    showTimes();
  }
});

// ---- forms: a second click while the first is under way does nothing

const sent = new WeakSet();

document.addEventListener('submit', event => {
  const form = event.target;
  if (form.method !== 'post') return;
  if (sent.has(form)) event.preventDefault();
  sent.add(form);
  setTimeout(() => sent.delete(form), 5_000);
});

// ---- keys: / searches, j and k go down and up the list, enter opens

const rows = () => all('.list tbody tr').filter(row => one('a.row', row));

function move(step) {
  const list = rows();
  if (list.length === 0) return;
  const at = list.findIndex(row => row.classList.contains('at'));
  const next = list[Math.min(list.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
  list.forEach(row => row.classList.toggle('at', row === next));
  one('a.row', next).focus({ preventScroll: true });
  next.scrollIntoView({ block: 'nearest' });
}

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select')) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  if (event.key === '/') {
    const search = one('[data-search]');
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === 'j' || event.key === 'k') {
    move(event.key === 'j' ? 1 : -1);
  }
});

// ---- what the server says, where it does not show the page

const signIn = document.createElement('a');
signIn.textContent = 'Sign in again';

function tell(at, text) {
  if (at.textContent !== text) at.textContent = text;
}

function tellEnd(at) {
  signIn.href = location.href;
  at.replaceChildren('Your session has ended. ', signIn);
}

// ---- refresh: in place, never under the reader's hands

const control = one('[data-refresh-control]');
const every = control && one('[data-refresh-every]', control);
const newer = control && one('[data-new]', control);
const refreshed = control && one('[data-refresh-state]', control);
let timer = 0;

const isBusy = () => document.hidden || !document.getSelection().isCollapsed || one('dialog[open]') !== null
  || all('[data-refresh] input:checked').length > 0;

function replace(old, next) {
  const open = all('details', old).map(details => details.open);
  const focused = old.contains(document.activeElement) ? document.activeElement.closest('tr')?.dataset.key : null;
  old.replaceChildren(...document.importNode(next, true).childNodes);
  all('details', old).forEach((details, i) => { details.open = open[i] ?? false; });
  const row = focused && all('tr[data-key]', old).find(tr => tr.dataset.key === focused);
  if (row) {
    row.classList.add('at');
    one('a.row', row)?.focus({ preventScroll: true });
  }
  showTimes(old);
  showCopies(old);
}

// Rows that are there change in their place; what is new is only counted.
function refreshList(old, next) {
  const fresh = new Map(all('tr[data-key]', next).map(row => [row.dataset.key, row]));
  const known = all('tr[data-key]', old);
  for (const row of known) {
    const other = fresh.get(row.dataset.key);
    if (other && !row.contains(document.activeElement)) {
      row.replaceChildren(...document.importNode(other, true).childNodes);
      showTimes(row);
    }
    fresh.delete(row.dataset.key);
  }
  if (known.length === 0) return replace(old, next);
  newer.hidden = fresh.size === 0;
  newer.textContent = `${fresh.size}${fresh.size >= 50 ? '+' : ''} new`;
  newer.onclick = () => { newer.hidden = true; replace(old, next); };
}

async function refresh() {
  if (isBusy()) return;
  const answer = await fetch(location.href, { headers: { Accept: 'text/html' }, cache: 'no-store' }).catch(() => null);
  if (answer?.status === 401 || answer?.status === 404) {
    every.value = '0';
    schedule();
    return answer.status === 401 ? tellEnd(refreshed) : tell(refreshed, 'This is not there any more.');
  }
  tell(refreshed, answer?.ok ? '' : 'The server does not answer.');
  if (!answer?.ok || isBusy()) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const old of all('[data-refresh]')) {
    const next = one(`[data-refresh="${old.dataset.refresh}"]`, page);
    if (next) (old.dataset.refresh === 'list' ? refreshList : replace)(old, next);
  }
}

function schedule() {
  clearInterval(timer);
  const seconds = Number(every.value);
  if (seconds > 0) timer = setInterval(refresh, seconds * 1000);
}

if (control) {
  control.hidden = false;
  every.value = localStorage.getItem('refresh') ?? '0';
  every.addEventListener('change', () => {
    localStorage.setItem('refresh', every.value);
    schedule();
    if (every.value !== '0') refresh();
  });
  document.addEventListener('visibilitychange', () => { if (!document.hidden && every.value !== '0') refresh(); });
  schedule();
}

// ---- live: what is newer than what is here goes on top

const live = one('[data-live]');

async function listen(state, end) {
  const known = new Set(all('tr[data-key]', live).map(row => row.dataset.key));
  const url = new URL(location.href);
  // Positions sort latest first.
  if (known.size > 0) url.searchParams.set('newer', [...known].sort()[0]);
  const answer = await fetch(url, { headers: { Accept: 'text/html' }, cache: 'no-store' }).catch(() => null);
  if (answer?.status === 401) return end();
  if (!answer?.ok) return state('The server does not answer.');
  const rows = all('[data-live] tr', new DOMParser().parseFromString(await answer.text(), 'text/html'));
  const fresh = rows.filter(row => !known.has(row.dataset.key));
  state(known.size > 0 && rows.length >= 100 && fresh.length === rows.length ? 'So many came that some are left out.' : 'Listening');
  if (fresh.length === 0) return;
  live.prepend(...fresh.map(row => document.importNode(row, true)));
  all('tr', live).slice(300).forEach(row => row.remove());
  one('[data-live-empty]')?.remove();
  showTimes(live);
}

if (live) {
  const bar = one('[data-live-control]');
  const pause = one('[data-live-pause]', bar);
  const at = one('[data-live-state]', bar);
  const state = text => tell(at, text);
  let isPaused = false;
  let isAsking = false;
  bar.hidden = false;
  state('Listening');
  pause.addEventListener('click', () => {
    isPaused = !isPaused;
    pause.textContent = isPaused ? 'Go on' : 'Pause';
    pause.setAttribute('aria-pressed', String(isPaused));
    state(isPaused ? 'Paused' : 'Listening');
  });
  const asking = setInterval(async () => {
    if (isPaused || isAsking || document.hidden || !document.getSelection().isCollapsed) return;
    isAsking = true;
    await listen(text => { if (!isPaused) state(text); }, () => {
      clearInterval(asking);
      pause.hidden = true;
      tellEnd(at);
    }).finally(() => { isAsking = false; });
  }, 2000);
}

showTimes();
showCopies();
setInterval(() => { if (!document.hidden && document.getSelection().isCollapsed) showTimes(); }, 1000);
