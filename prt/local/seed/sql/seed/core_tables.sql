-- The seven core tables: users, workspaces, and the communication in a workspace.

create schema private;

create type public.workspace_role as enum ('owner', 'admin', 'manager', 'member', 'viewer');
create type public.presence_status as enum ('online', 'away', 'busy', 'offline');

create table public.organizations (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  slug text not null unique default 'org-' || substr(gen_random_uuid()::text, 1, 8),
  plan text not null default 'team',
  billing_email text,
  settings jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.workspaces (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references public.organizations (id) on delete cascade,
  name text not null,
  slug text not null default 'ws-' || substr(gen_random_uuid()::text, 1, 8),
  timezone text not null default 'Europe/Stockholm',
  currency char(3) not null default 'EUR',
  settings jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (organization_id, slug)
);

create table public.user_roles (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  user_id uuid not null references auth.users (id) on delete cascade,
  role public.workspace_role not null default 'member',
  permissions text[] not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (user_id, workspace_id)
);

create table public.activities (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  production_id uuid,
  user_id uuid default auth.uid() references auth.users (id) on delete set null,
  action text not null default 'updated',
  entity_type text,
  entity_id uuid,
  summary text,
  details jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.comments (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  production_id uuid,
  user_id uuid default auth.uid() references auth.users (id) on delete set null,
  parent_id uuid references public.comments (id) on delete cascade,
  entity_type text not null default 'project_tasks',
  entity_id uuid,
  body text not null,
  mentions uuid[] not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.user_presence (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid not null references public.workspaces (id) on delete cascade,
  user_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  status public.presence_status not null default 'online',
  device text not null default 'web',
  location text,
  last_seen_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (user_id, workspace_id, device)
);

-- A client has to send only `user_id, type, title, message`.
create table public.notifications (
  id uuid primary key default gen_random_uuid(),
  workspace_id uuid references public.workspaces (id) on delete cascade,
  user_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  type text not null default 'info',
  title text not null,
  message text,
  link text,
  payload jsonb not null default '{}',
  read_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
