-- The 23 module tables: a production from its first idea to the last invoice.
-- Columns that a client may leave out have defaults or are filled by the triggers of rules.sql.

create type public.production_status as enum ('planning', 'pre_production', 'live', 'wrap', 'archived', 'cancelled');
create type public.milestone_status as enum ('upcoming', 'at_risk', 'reached', 'missed');
-- The statuses are in the order of the board's columns.
create type public.task_status as enum ('todo', 'in_progress', 'review', 'done');
create type public.task_priority as enum ('low', 'medium', 'high', 'urgent');
create type public.cue_status as enum ('pending', 'standby', 'live', 'done', 'skipped');
create type public.booking_status as enum ('requested', 'tentative', 'confirmed', 'cancelled');
create type public.incident_status as enum ('open', 'investigating', 'resolved', 'closed');
create type public.incident_severity as enum ('minor', 'moderate', 'major', 'critical');
create type public.asset_status as enum ('available', 'reserved', 'checked_out', 'maintenance', 'retired');
create type public.transaction_type as enum ('expense', 'income', 'refund', 'transfer');
create type public.invoice_status as enum ('draft', 'sent', 'overdue', 'paid', 'void');
create type public.purchase_order_status as enum ('draft', 'submitted', 'approved', 'received', 'cancelled');
create type public.approval_status as enum ('pending', 'approved', 'rejected', 'withdrawn');
create type public.connection_status as enum ('pending', 'accepted', 'declined');
create type public.order_status as enum ('pending', 'paid', 'shipped', 'delivered', 'cancelled');

create table public.locations (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  name text not null,
  type text not null default 'venue',
  address text,
  city text,
  country char(2),
  latitude numeric(9, 6),
  longitude numeric(9, 6),
  capacity integer,
  amenities text[] not null default '{}',
  contact jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.companies (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  name text not null,
  type text not null default 'vendor',
  email text,
  phone text,
  website text,
  rating numeric(2, 1),
  tags text[] not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.productions (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  name text not null,
  code text,
  type text not null default 'concert',
  status public.production_status not null default 'planning',
  description text,
  location_id uuid references public.locations (id) on delete set null,
  client_id uuid references public.companies (id) on delete set null,
  start_date date,
  end_date date,
  tags text[] not null default '{}',
  details jsonb not null default '{}',
  created_by uuid default auth.uid() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.teams (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  production_id uuid references public.productions (id) on delete set null,
  name text not null,
  department text,
  color text not null default '#6b7280',
  radio_channel smallint,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.personnel (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  team_id uuid references public.teams (id) on delete set null,
  user_id uuid references auth.users (id) on delete set null,
  name text not null,
  email text,
  phone text,
  role text not null default 'crew',
  status text not null default 'active',
  day_rate numeric(12, 2),
  skills text[] not null default '{}',
  certifications jsonb not null default '[]',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.project_milestones (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  production_id uuid references public.productions (id) on delete cascade,
  title text not null,
  description text,
  status public.milestone_status not null default 'upcoming',
  due_date date,
  reached_at timestamptz,
  position integer not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.project_tasks (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  production_id uuid references public.productions (id) on delete cascade,
  milestone_id uuid references public.project_milestones (id) on delete set null,
  title text not null,
  description text,
  status public.task_status not null default 'todo',
  priority public.task_priority not null default 'medium',
  assignee_id uuid references public.personnel (id) on delete set null,
  due_date date,
  estimate_hours numeric(6, 2),
  position double precision not null default 0,
  labels text[] not null default '{}',
  checklist jsonb not null default '[]',
  completed_at timestamptz,
  created_by uuid default auth.uid() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.events (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  production_id uuid references public.productions (id) on delete cascade,
  location_id uuid references public.locations (id) on delete set null,
  title text not null,
  type text not null default 'show',
  status text not null default 'scheduled',
  doors_at timestamptz,
  starts_at timestamptz,
  ends_at timestamptz,
  capacity integer,
  tickets_sold integer not null default 0,
  is_public boolean not null default true,
  notes text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.run_of_show (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  production_id uuid references public.productions (id) on delete cascade,
  event_id uuid references public.events (id) on delete cascade,
  position integer not null default 0,
  cue text,
  title text not null,
  department text,
  status public.cue_status not null default 'pending',
  duration interval,
  planned_at timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  notes text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.bookings (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  production_id uuid references public.productions (id) on delete cascade,
  company_id uuid references public.companies (id) on delete set null,
  personnel_id uuid references public.personnel (id) on delete set null,
  location_id uuid references public.locations (id) on delete set null,
  title text not null,
  type text not null default 'artist',
  status public.booking_status not null default 'requested',
  starts_at timestamptz,
  ends_at timestamptz,
  amount numeric(12, 2),
  currency char(3) not null default 'EUR',
  rider jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.incidents (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  production_id uuid references public.productions (id) on delete cascade,
  event_id uuid references public.events (id) on delete set null,
  location_id uuid references public.locations (id) on delete set null,
  title text not null,
  description text,
  type text not null default 'technical',
  severity public.incident_severity not null default 'minor',
  status public.incident_status not null default 'open',
  reported_by uuid references public.personnel (id) on delete set null,
  occurred_at timestamptz not null default now(),
  resolved_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.time_entries (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  production_id uuid references public.productions (id) on delete cascade,
  task_id uuid references public.project_tasks (id) on delete set null,
  personnel_id uuid references public.personnel (id) on delete cascade,
  user_id uuid default auth.uid() references auth.users (id) on delete set null,
  work_date date not null default current_date,
  hours numeric(6, 2) not null default 0,
  rate numeric(12, 2),
  status text not null default 'draft',
  notes text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.assets (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  location_id uuid references public.locations (id) on delete set null,
  name text not null,
  tag text,
  type text not null default 'equipment',
  status public.asset_status not null default 'available',
  quantity integer not null default 1,
  purchase_price numeric(12, 2),
  purchased_on date,
  specs jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.asset_transactions (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  production_id uuid references public.productions (id) on delete cascade,
  asset_id uuid references public.assets (id) on delete cascade,
  personnel_id uuid references public.personnel (id) on delete set null,
  type text not null default 'check_out',
  quantity integer not null default 1,
  condition text not null default 'good',
  occurred_at timestamptz not null default now(),
  due_back_at timestamptz,
  notes text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.files (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  production_id uuid references public.productions (id) on delete cascade,
  name text not null,
  path text,
  mime_type text not null default 'application/octet-stream',
  size_bytes bigint not null default 0,
  version integer not null default 1,
  tags text[] not null default '{}',
  uploaded_by uuid default auth.uid() references auth.users (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.budgets (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  production_id uuid references public.productions (id) on delete cascade,
  name text not null default 'Budget',
  category text not null default 'general',
  amount numeric(12, 2) not null default 0,
  committed numeric(12, 2) not null default 0,
  spent numeric(12, 2) not null default 0,
  currency char(3) not null default 'EUR',
  status text not null default 'active',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.financial_transactions (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  production_id uuid references public.productions (id) on delete cascade,
  budget_id uuid references public.budgets (id) on delete set null,
  company_id uuid references public.companies (id) on delete set null,
  type public.transaction_type not null default 'expense',
  category text not null default 'general',
  amount numeric(12, 2) not null,
  currency char(3) not null default 'EUR',
  description text,
  status text not null default 'posted',
  reference text,
  occurred_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create sequence public.invoice_number start 1001;
create table public.invoices (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  production_id uuid references public.productions (id) on delete cascade,
  company_id uuid references public.companies (id) on delete set null,
  number text not null default 'INV-' || nextval('public.invoice_number'),
  type text not null default 'payable',
  status public.invoice_status not null default 'draft',
  amount numeric(12, 2) not null default 0,
  tax numeric(12, 2) not null default 0,
  currency char(3) not null default 'EUR',
  lines jsonb not null default '[]',
  issued_on date not null default current_date,
  due_date date,
  paid_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create sequence public.purchase_order_number start 501;
create table public.purchase_orders (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  production_id uuid references public.productions (id) on delete cascade,
  budget_id uuid references public.budgets (id) on delete set null,
  company_id uuid references public.companies (id) on delete set null,
  number text not null default 'PO-' || nextval('public.purchase_order_number'),
  title text,
  status public.purchase_order_status not null default 'draft',
  amount numeric(12, 2) not null default 0,
  currency char(3) not null default 'EUR',
  lines jsonb not null default '[]',
  expected_on date,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.approval_requests (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  production_id uuid references public.productions (id) on delete cascade,
  title text not null,
  type text not null default 'expense',
  status public.approval_status not null default 'pending',
  entity_type text,
  entity_id uuid,
  amount numeric(12, 2),
  requested_by uuid references public.personnel (id) on delete set null,
  decided_by uuid references auth.users (id) on delete set null,
  decided_at timestamptz,
  due_date date,
  note text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.community_posts (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  user_id uuid default auth.uid() references auth.users (id) on delete set null,
  type text not null default 'post',
  title text,
  body text not null,
  status text not null default 'published',
  tags text[] not null default '{}',
  likes integer not null default 0,
  is_pinned boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.connections (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  user_id uuid default auth.uid() references auth.users (id) on delete cascade,
  requester_id uuid references public.personnel (id) on delete cascade,
  recipient_id uuid references public.personnel (id) on delete cascade,
  type text not null default 'colleague',
  status public.connection_status not null default 'pending',
  message text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check (requester_id <> recipient_id)
);

create sequence public.marketplace_order_number start 7001;
create table public.marketplace_orders (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  production_id uuid references public.productions (id) on delete set null,
  company_id uuid references public.companies (id) on delete set null,
  number text not null default 'MO-' || nextval('public.marketplace_order_number'),
  title text,
  status public.order_status not null default 'pending',
  items jsonb not null default '[]',
  quantity integer not null default 1,
  amount numeric(12, 2) not null default 0,
  currency char(3) not null default 'EUR',
  delivered_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- Core tables that refer to a production were created before its table.
alter table public.activities add foreign key (production_id) references public.productions (id) on delete cascade;
alter table public.comments add foreign key (production_id) references public.productions (id) on delete cascade;
