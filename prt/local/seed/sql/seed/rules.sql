-- The publication, indexes, triggers and policies of the 30 tables.

-- Returns the caller's workspaces as one value. With `(select …)` around it, it runs once per query, not per row.
create function private.workspaces_of_caller() returns uuid[]
  language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(workspace_id), '{}') from public.user_roles where user_id = auth.uid()
$$;

create function private.workspaces_led_by_caller() returns uuid[]
  language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(workspace_id), '{}') from public.user_roles
  where user_id = auth.uid() and role in ('owner', 'admin')
$$;

create function private.organizations_of(owned uuid[]) returns uuid[]
  language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(distinct organization_id), '{}') from public.workspaces where id = any (owned)
$$;

create function private.touch() returns trigger language plpgsql set search_path = '' as $$
begin
  new.updated_at := now();
  return new;
end $$;

-- A row without a workspace gets that of its production, or else of its user, or else of the caller.
-- Rows without any of these are written by superusers and servers, and get the oldest workspace.
create function private.fill_workspace() returns trigger
  language plpgsql security definer set search_path = '' as $$
declare
  given jsonb := to_jsonb(new);
  its_user uuid := coalesce((given ->> 'user_id')::uuid, auth.uid());
begin
  new.workspace_id := coalesce(
    (select workspace_id from public.productions where id = (given ->> 'production_id')::uuid),
    (select workspace_id from public.user_roles where user_id = its_user order by created_at, id limit 1)
  );
  if new.workspace_id is null and its_user is null then
    new.workspace_id := (select id from public.workspaces order by created_at, id limit 1);
  end if;
  return new;
end $$;

-- A transaction without a budget gets one of its production, preferably of the same category.
-- A transaction without a production gets that of its budget.
create function private.choose_budget() returns trigger
  language plpgsql security definer set search_path = '' as $$
begin
  if new.budget_id is null then
    new.budget_id := (
      select id from public.budgets where production_id = new.production_id
      order by category = new.category desc, created_at, id limit 1
    );
  else
    new.production_id := (select production_id from public.budgets where id = new.budget_id);
  end if;
  return new;
end $$;

create function private.book_on_budget() returns trigger
  language plpgsql security definer set search_path = '' as $$
begin
  update public.budgets
  set spent = spent + case new.type when 'expense' then new.amount else -new.amount end
  where id = new.budget_id;
  return null;
end $$;

-- Triggers fire in the order of their names: this one fires before fill_workspace, which needs the production.
create trigger choose_budget before insert on public.financial_transactions
  for each row when ((new.budget_id is null) <> (new.production_id is null))
  execute function private.choose_budget();
create trigger book_on_budget after insert on public.financial_transactions
  for each row when (new.status = 'posted' and new.type in ('expense', 'refund'))
  execute function private.book_on_budget();

do $$
declare
  tables constant text[] := array[
    'organizations', 'workspaces', 'user_roles', 'activities', 'comments', 'user_presence', 'notifications',
    'productions', 'project_tasks', 'project_milestones', 'events', 'run_of_show', 'bookings', 'incidents',
    'personnel', 'teams', 'time_entries', 'assets', 'asset_transactions', 'locations', 'files', 'companies',
    'budgets', 'financial_transactions', 'invoices', 'purchase_orders', 'approval_requests',
    'community_posts', 'connections', 'marketplace_orders'
  ];
  with_own_rules constant text[] := array[
    'organizations', 'workspaces', 'user_roles', 'user_presence', 'notifications'
  ];
  is_members constant text := 'workspace_id = any ((select private.workspaces_of_caller())::uuid[])';
  relation text;
  link text;
begin
  foreach relation in array tables loop
    execute format('alter publication supabase_realtime add table public.%I', relation);
    execute format('alter table public.%I enable row level security', relation);
    execute format('create trigger touch before update on public.%I for each row '
      'execute function private.touch()', relation);

    for link in
      select attname from pg_attribute
      where attrelid = format('public.%I', relation)::regclass
        and attname in ('workspace_id', 'production_id') and not attisdropped
    loop
      execute format('create index on public.%I (%I)', relation, link);
      if link = 'workspace_id' then
        execute format('create trigger fill_workspace before insert on public.%I for each row '
          'when (new.workspace_id is null) execute function private.fill_workspace()', relation);
      end if;
    end loop;

    if relation <> all (with_own_rules) then
      execute format('create policy "members read" on public.%I for select to authenticated '
        'using (%s)', relation, is_members);
      execute format('create policy "members add" on public.%I for insert to authenticated '
        'with check (%s)', relation, is_members);
      execute format('create policy "members change" on public.%I for update to authenticated '
        'using (%s) with check (%2$s)', relation, is_members);
      execute format('create policy "members remove" on public.%I for delete to authenticated '
        'using (%s)', relation, is_members);
    end if;
  end loop;
end $$;

create index on public.notifications (user_id);

create policy "members read" on public.organizations for select to authenticated
  using (id = any ((select private.organizations_of(private.workspaces_of_caller()))::uuid[]));
create policy "leaders change" on public.organizations for update to authenticated
  using (id = any ((select private.organizations_of(private.workspaces_led_by_caller()))::uuid[]));

create policy "members read" on public.workspaces for select to authenticated
  using (id = any ((select private.workspaces_of_caller())::uuid[]));
create policy "leaders add" on public.workspaces for insert to authenticated
  with check (organization_id
    = any ((select private.organizations_of(private.workspaces_led_by_caller()))::uuid[]));
create policy "leaders change" on public.workspaces for update to authenticated
  using (id = any ((select private.workspaces_led_by_caller())::uuid[]));
create policy "leaders remove" on public.workspaces for delete to authenticated
  using (id = any ((select private.workspaces_led_by_caller())::uuid[]));

create policy "members read" on public.user_roles for select to authenticated
  using (workspace_id = any ((select private.workspaces_of_caller())::uuid[]));
create policy "leaders add" on public.user_roles for insert to authenticated
  with check (workspace_id = any ((select private.workspaces_led_by_caller())::uuid[]));
create policy "leaders change" on public.user_roles for update to authenticated
  using (workspace_id = any ((select private.workspaces_led_by_caller())::uuid[]));
create policy "leaders remove" on public.user_roles for delete to authenticated
  using (workspace_id = any ((select private.workspaces_led_by_caller())::uuid[]));

create policy "members read" on public.user_presence for select to authenticated
  using (workspace_id = any ((select private.workspaces_of_caller())::uuid[]));
create policy "people add their own" on public.user_presence for insert to authenticated
  with check (user_id = (select auth.uid())
    and workspace_id = any ((select private.workspaces_of_caller())::uuid[]));
create policy "people change their own" on public.user_presence for update to authenticated
  using (user_id = (select auth.uid()))
  with check (user_id = (select auth.uid())
    and workspace_id = any ((select private.workspaces_of_caller())::uuid[]));
create policy "people remove their own" on public.user_presence for delete to authenticated
  using (user_id = (select auth.uid()));

-- Users see only their own notifications, but may write notifications for others of the same workspace.
create policy "people read their own" on public.notifications for select to authenticated
  using (user_id = (select auth.uid()));
create policy "members notify" on public.notifications for insert to authenticated
  with check (user_id = (select auth.uid())
    or workspace_id = any ((select private.workspaces_of_caller())::uuid[]));
create policy "people change their own" on public.notifications for update to authenticated
  using (user_id = (select auth.uid()));
create policy "people remove their own" on public.notifications for delete to authenticated
  using (user_id = (select auth.uid()));

-- Private channels: signed-in users may use the topics of test runs. `prt test` needs such policies in a project
-- to test private channels.
create policy "users hear test runs" on realtime.messages for select to authenticated
  using (realtime.topic() like 'prt-test:%');
create policy "users send in test runs" on realtime.messages for insert to authenticated
  with check (realtime.topic() like 'prt-test:%');
