"""What figures are made of: sums, rates, people, percentiles, stocks, and what there is when there is nothing."""

from datetime import UTC, date, datetime

import pytest

from app.metrics.errors import CannotAnswerError
from tests.metrics.small_lake import campaign_id, money, sent, viewer, workspace_id

DAY = date(2026, 1, 10)
NEXT = date(2026, 1, 11)


def test_rates_are_divided_after_summing(lake, asking):
    """100 opens over 400 delivered is 25 %, although the campaigns' own rates average 30 %."""
    lake.add("email_days", sent(DAY, 1, delivered=100, opened=40), sent(DAY, 3, delivered=300, opened=60))
    ask = asking()
    assert ask.one("open_rate") == 0.25
    assert [row["open_rate"] for row in ask.rows("open_rate", by="campaign")] == [0.40, 0.20]


def test_an_empty_denominator_gives_nothing_rather_than_zero(lake, asking):
    lake.add("ad_days", ads(DAY, spend=money("0"), ad_revenue=money("50")))
    ask = asking()
    answer = ask.answer(["roas", "ad_revenue", "spend"])
    assert answer.value("roas") is None
    assert answer.value("ad_revenue") == 50
    assert answer.value("spend") == 0


def test_what_nothing_was_counted_of_is_zero(lake, asking):
    lake.add("email_days")
    ask = asking()
    answer = ask.answer(["emails_sent", "open_rate"])
    assert (answer.value("emails_sent"), answer.value("open_rate")) == (0, None)
    assert answer.is_empty
    assert ask.rows("emails_sent", by="campaign") == []


def test_a_rollup_is_a_bag_of_rows_whose_measures_are_summed(lake, asking):
    """A refresh adds the difference: 10 became 12, and another campaign's 5 were taken back."""
    lake.add("email_days", sent(DAY, 1, delivered=10), sent(DAY, 2, delivered=5))
    lake.add("email_days", sent(DAY, 1, delivered=2), sent(DAY, 2, delivered=-5))
    ask = asking()
    assert ask.rows("delivered", by="campaign") == [
        {"campaign": campaign_id(1), "campaign_name": "Spring", "emails_delivered": 12}
    ]


def test_figures_of_several_rollups_meet_in_one_row_per_key(lake, asking):
    """What one rollup has no row for is 0 there, and not left out."""
    lake.add("revenue_days", revenue(DAY, 1, "100"), revenue(DAY, 2, "30"))
    lake.add("ai_days", ai(DAY, 1, ai_cost=money("40")))
    ask = asking()
    rows = ask.rows(["margin", "recognised_revenue", "ai_cost", "margin_rate"], by="workspace")
    assert [(row["workspace_name"], row["margin"], row["margin_rate"]) for row in rows] == [
        ("Acme", 60, 0.6),
        ("Birch", 30, 1.0),
    ]
    assert ask.one("margin") == 90


def test_a_customer_without_revenue_has_a_margin_below_zero_and_no_margin_rate(lake, asking):
    lake.add("revenue_days")
    lake.add("ai_days", ai(DAY, 1, ai_cost=money("5")))
    (row,) = asking().rows(["margin", "margin_rate"], by="workspace")
    assert (row["margin"], row["margin_rate"]) == (-5, None)


def test_cost_per_accepted_result_counts_the_cost_of_all_attempts(lake, asking):
    lake.add("ai_days", ai(DAY, 1, generations=3, accepted=2, ai_cost=money("0.30"), status="completed"))
    lake.add("ai_days", ai(DAY, 1, generations=1, failed=1, ai_cost=money("0.10"), status="failed"))
    assert asking().one("cost_per_accepted") == money("0.20")


def test_people_are_counted_once_in_a_whole_period(lake, asking):
    """Contact 1 opens on two days, contact 2 on one; contact 3's open was taken back."""
    lake.add(
        "email_contact_days",
        person(1, DAY),
        person(1, NEXT),
        person(2, NEXT),
        person(3, DAY),
        person(3, DAY, opened_events=-1),
    )
    ask = asking()
    assert ask.one("unique_openers") == 2
    assert [(row["day"], row["unique_openers"]) for row in ask.rows("unique_openers", by="day")] == [
        (DAY, 1),
        (NEXT, 2),
    ]


def test_a_percentile_is_found_in_the_histogram_of_all_rows_asked_for(lake, asking):
    """90 of 100 took about a second (bucket 348), 10 about ten (bucket 465): the 95th is ten, the median one."""
    lake.add("ai_latency", timed(348, 50), timed(348, 40, model="other"), timed(465, 10))
    ask = asking()
    answer = ask.answer(["generation_time_p50", "generation_time_p95"])
    assert answer.value("generation_time_p50") == pytest.approx(1.02**348.5 / 1000) == pytest.approx(1, rel=0.01)
    assert answer.value("generation_time_p95") == pytest.approx(10, rel=0.02)
    by_model = {row["model"]: row["generation_time_p95"] for row in ask.rows("generation_time_p95", by="model")}
    assert by_model["other"] == answer.value("generation_time_p50")


def test_a_time_of_zero_is_zero_and_no_times_have_no_percentile(lake, asking):
    lake.add("ai_latency", timed(-1, 4))
    ask = asking()
    assert ask.one("generation_time_p50") == 0
    assert ask.one("generation_time_p50", where={"product": "mailer"}) is None


def test_a_stock_is_what_is_there_at_the_periods_end(lake, asking):
    """Ten came last year, two more in January, one went: eleven, although only January is asked for."""
    lake.add(
        "audience_days",
        contacts(date(2025, 6, 1), contacts_added=10),
        contacts(DAY, contacts_added=2),
        contacts(date(2026, 1, 20), contacts_removed=1),
        contacts(date(2026, 2, 1), contacts_added=100),
    )
    ask = asking()
    assert ask.one("contacts") == 11
    assert ask.one("list_growth") == 1


def test_a_stock_day_by_day_has_every_day_and_starts_with_what_was_there(lake, asking):
    lake.add(
        "audience_days", contacts(date(2025, 6, 1), contacts_added=10), contacts(date(2026, 1, 2), contacts_added=5)
    )
    rows = asking().rows("contacts", date(2026, 1, 1), date(2026, 1, 4), by=["day", "workspace"])
    assert [(row["day"].day, row["contacts"]) for row in rows] == [(1, 10), (2, 15), (3, 15)]


def test_a_stock_begins_where_something_is_there(lake, asking):
    lake.add("audience_days", contacts(date(2026, 1, 2), contacts_added=5))
    rows = asking().rows("contacts", date(2026, 1, 1), date(2026, 1, 4), by="day")
    assert [(row["day"].day, row["contacts"]) for row in rows] == [(2, 5), (3, 5)]


def test_the_movements_of_recurring_revenue_add_up_to_its_change(lake, asking):
    lake.add(
        "mrr_days",
        mrr(date(2025, 12, 1), mrr_new="100", mrr_change="100"),
        mrr(DAY, mrr_expansion="20", mrr_change="20"),
        mrr(NEXT, mrr_churn="-120", mrr_reactivation="0", mrr_change="-120"),
    )
    ask = asking()
    moves = ask.answer(["mrr_new", "mrr_expansion", "mrr_contraction", "mrr_churn", "mrr_reactivation"]).rows()[0]
    assert sum(moves.values()) == ask.one("mrr_change") == -100
    assert [row["mrr"] for row in ask.rows("mrr", DAY, date(2026, 1, 13), by="day")] == [120, 0, 0]


def test_attribution_models_never_mix_and_their_parts_add_up_to_all(lake, asking):
    """One conversion by campaign 1, one by nobody: `last` and `linear` each have both."""
    for model in ("last", "linear"):
        lake.add("attribution_days", touch(DAY, 1, model), touch(DAY, None, model))
    ask = asking()
    assert ask.one("attributed_conversions") == 2
    assert ask.one("unattributed_conversions") == 1
    rows = ask.rows("attributed_conversions_linear", by="campaign")
    assert [(row["campaign_name"], row["attributed_conversions_linear"]) for row in rows] == [("Spring", 1), (None, 1)]


def test_credits_are_told_apart_by_why_they_moved(lake, asking):
    lake.add("credit_days", credit("purchase", 100), credit("usage", -30), credit("expiry", -5))
    answer = asking().answer(["credits_purchased", "credits_spent", "credits_expired", "credits_balance"])
    assert answer.rows() == [
        {"credits_purchased": 100, "credits_spent": 30, "credits_expired": 5, "credits_balance": 65}
    ]


def test_void_invoices_were_never_owed_and_credit_notes_are_taken_off(lake, asking):
    lake.add(
        "invoice_days", invoice("100"), invoice("-20", invoice_kind="credit_note"), invoice("50", invoice_status="void")
    )
    answer = asking().answer(["invoiced", "invoices", "credit_notes"])
    assert answer.rows() == [{"invoiced": 80, "invoices": 1, "credit_notes": 1}]


def test_cost_can_be_told_by_the_plan_that_a_workspace_had_on_the_day(lake, asking):
    """Free until the 10th, pro from then on, although the free one's end was never written."""
    lake.add("plans", {"id": "free-1", "name": "Free", "tier": "free"}, {"id": "pro-1", "name": "Pro", "tier": "pro"})
    lake.add("subscriptions", subscription("free", date(2025, 1, 1)), subscription("pro", DAY))
    lake.add("ai_days", ai(date(2026, 1, 9), 1, ai_cost=money("1")), ai(DAY, 1, ai_cost=money("4")))
    ask = asking()
    assert [(row["plan_name"], row["ai_cost"]) for row in ask.rows("ai_cost", by="plan")] == [("Pro", 4), ("Free", 1)]
    assert ask.one("ai_cost", where={"tier": "free"}) == 1


def test_weeks_begin_on_monday_and_a_weekday_of_one_is_monday(lake, asking):
    """The 11th of January 2026 is a Sunday, the 12th a Monday."""
    lake.add("email_days", sent(NEXT, delivered=1), sent(date(2026, 1, 12), delivered=2))
    ask = asking()
    assert [(row["week"], row["emails_sent"]) for row in ask.rows("sent", grain="week")] == [
        (date(2026, 1, 5), 1),
        (date(2026, 1, 12), 2),
    ]
    assert {row["weekday"]: row["emails_sent"] for row in ask.rows("sent", by="weekday")} == {7: 1, 1: 2}


def test_the_smallest_rollup_that_can_answer_is_taken(lake, asking):
    lake.add("email_days", sent(DAY, delivered=10))
    lake.add(
        "email_domain_days", *(sent(DAY, delivered=5) | {"email_domain": name} for name in ("a.example", "b.example"))
    )
    ask = asking()
    assert [rollup.name for rollup in ask.answer("sent").receipt.rollups] == ["email_days"]
    assert [rollup.name for rollup in ask.answer("sent", by="domain").receipt.rollups] == ["email_domain_days"]


def test_metrics_that_one_rollup_holds_are_read_from_it_together(lake, asking):
    """Generations alone would come from the smaller one; failures are in the larger only."""
    lake.add("ai_campaign_days", {"workspace_code": 1, "day": DAY, "generations": 2})
    lake.add("ai_days", ai(DAY, 1, generations=1), ai(DAY, 1, generations=1, failed=1, status="failed"))
    ask = asking()
    assert [rollup.name for rollup in ask.answer("generations").receipt.rollups] == ["ai_campaign_days"]
    assert [rollup.name for rollup in ask.answer(["generations", "failed"]).receipt.rollups] == ["ai_days"]


def test_an_order_and_a_limit_keep_the_largest_and_say_how_many_there_are(lake, asking):
    lake.add("email_days", sent(DAY, 1, delivered=1), sent(DAY, 2, delivered=3), sent(DAY, 3, delivered=2))
    ask = asking()
    answer = ask.answer("sent", by="campaign", limit=2)
    assert [row["campaign_name"] for row in answer.rows()] == ["Landing", "Secret"]
    assert answer.keys_found == 3
    smallest = ask.answer("sent", by="campaign", order="sent", limit=1)
    assert [row["campaign_name"] for row in smallest.rows()] == ["Spring"]


def test_a_filter_leaves_out_what_it_excludes_and_keeps_what_has_no_value(lake, asking):
    lake.add("web_days", web("ads", 1), web("mail", 2), web(None, 4))
    ask = asking()
    assert ask.one("views", where={"source": ["ads", "mail"]}) == 3
    assert ask.one("views", where={"source": None}) == 4
    assert ask.one("views", where={"source": ["ads", None]}) == 5
    assert ask.one("views", exclude={"source": "ads"}) == 6
    assert ask.one("views", exclude={"source": ["ads", None]}) == 2


def test_reach_is_shown_for_one_campaign_and_day_and_never_summed(lake, asking):
    lake.add("ad_days", ads(DAY, reach=70, impressions=140), ads(NEXT, reach=50, impressions=50))
    ask = asking()
    rows = ask.rows(["reach", "frequency"], by=["day", "campaign"])
    assert [(row["reach"], row["frequency"]) for row in rows] == [(70, 2.0), (50, 1.0)]
    assert ask.one("reach", DAY, NEXT, where={"campaign": campaign_id(1)}) == 70
    with pytest.raises(CannotAnswerError) as refused:
        ask.rows("reach", by="campaign")
    assert "does not add up over day" in refused.value.why
    assert "impressions by campaign" in refused.value.fix


def test_one_breakdown_of_ads_is_read_at_a_time(lake, asking):
    """The same 100 impressions by no split, by platform, and by age and gender."""
    lake.add("ad_days", ads(DAY, impressions=100))
    lake.add(
        "ad_days",
        *(ads(DAY, breakdown="platform", platform=name, impressions=50) for name in ("facebook", "instagram")),
    )
    lake.add(
        "ad_days",
        *(
            ads(DAY, breakdown="age+gender", age_range="18-24", gender=name, impressions=50)
            for name in ("female", "male")
        ),
    )
    ask = asking()
    assert ask.one("impressions") == 100
    assert {row["platform"]: row["impressions"] for row in ask.rows("impressions", by="platform")} == {
        "facebook": 50,
        "instagram": 50,
    }
    assert ask.rows("impressions", by="age") == [{"age": "18-24", "impressions": 100}]
    assert ask.one("impressions", where={"gender": "male"}) == 50


def test_each_campaign_takes_the_narrowest_breakdown_that_it_came_in(lake, asking):
    """Campaign 1 came by age and by age and gender, campaign 2 by age and gender alone: nothing counts twice."""
    both = {"breakdown": "age+gender", "age_range": "18-24", "gender": "male"}
    lake.add("ad_days", ads(DAY, breakdown="age", age_range="18-24", impressions=10), ads(DAY, impressions=10, **both))
    lake.add("ad_days", ads(DAY, impressions=7, campaign_code=2, **both))
    ask = asking()
    assert ask.rows("impressions", by="age") == [{"age": "18-24", "impressions": 17}]


def test_a_day_that_only_earned_counts_in_a_breakdown_too(lake, asking):
    """Nothing was shown any more, and two late conversions came: by age as by nothing."""
    both = {"breakdown": "age+gender", "age_range": "18-24", "gender": "male"}
    earned = {"ad_conversions": 2, "ad_revenue": money(5)}
    lake.add("ad_days", ads(DAY, **earned), ads(DAY, breakdown="age", age_range="18-24", **earned))
    lake.add("ad_days", ads(DAY, **earned, **both))
    ask = asking()
    assert ask.one("ad_conversions") == 2
    assert ask.rows("ad_conversions", by="age") == [{"age": "18-24", "ad_conversions": 2}]


def test_ids_are_keys_and_names_stand_beside_them(lake, asking):
    lake.add("email_days", sent(DAY, 3, delivered=1))
    (row,) = asking().rows("sent", by=["workspace", "campaign"])
    assert row == {
        "workspace": str(workspace_id(2)),
        "workspace_name": "Birch",
        "campaign": campaign_id(3),
        "campaign_name": "Secret",
        "emails_sent": 1,
    }


def test_a_frame_is_ones_own(lake, asking):
    lake.add("email_days", sent(DAY, delivered=1))
    ask = asking()
    first = ask.answer("sent", by="day").frame()
    first["emails_sent"] = 99
    assert list(ask.answer("sent", by="day").frame()["emails_sent"]) == [1]


def test_an_answer_is_kept_for_its_viewer_and_its_version_only(lake, asking):
    lake.add("email_days", sent(DAY, 1, delivered=1), sent(DAY, 3, delivered=2))
    ask = asking()
    first = ask.answer("sent")
    assert ask.answer("sent") is first
    assert ask.one("sent", who=viewer(1)) == 1
    lake.add("email_days", sent(DAY, 1, delivered=10))
    lake.publish()
    assert ask.answer("sent", as_of=2).value("emails_sent") == 13


def ads(day, breakdown="none", campaign_code=1, **measures):
    return {
        "workspace_code": 1,
        "campaign_code": campaign_code,
        "day": day,
        "breakdown": breakdown,
        "currency": "USD",
    } | measures


def ai(day, workspace, **measures):
    base = {"workspace_code": workspace, "user_code": 7, "day": day, "product": "mailer", "model": "small"}
    return base | measures


def revenue(day, workspace, amount, currency="USD"):
    return {"workspace_code": workspace, "day": day, "currency": currency, "recognised_revenue": money(amount)}


def person(contact, day, opened_events=1):
    return {"workspace_code": 1, "contact_code": contact, "day": day, "opened_events": opened_events}


def timed(bucket, times, model="small"):
    return {
        "workspace_code": 1,
        "day": DAY,
        "product": "craft_ads",
        "model": model,
        "latency_bucket": bucket,
        "timed_generations": times,
    }


def contacts(day, **measures):
    return {"workspace_code": 1, "email_domain": "a.example", "day": day} | measures


def mrr(day, **amounts):
    base = {"workspace_code": 1, "product": "mailer", "tier": "pro", "day": day, "currency": "USD"}
    return base | {name: money(amount) for name, amount in amounts.items()}


def touch(day, campaign, model):
    return {
        "workspace_code": 1,
        "day": day,
        "model": model,
        "touch_campaign_code": campaign,
        "currency": "USD",
        "attributed_conversions": money("1"),
    }


def credit(kind, moved):
    return {
        "workspace_code": 1,
        "user_code": 7,
        "day": DAY,
        "transaction_type": kind,
        "credits_moved": moved,
        "credit_movements": 1,
    }


def invoice(total, invoice_kind="invoice", invoice_status="paid"):
    return {
        "workspace_code": 1,
        "day": DAY,
        "currency": "USD",
        "invoice_kind": invoice_kind,
        "invoice_status": invoice_status,
        "invoices": 1,
        "invoiced_total": money(total),
    }


def subscription(tier, started):
    return {
        "id": f"s-{tier}",
        "workspace_code": 1,
        "product": "mailer",
        "plan_id": f"{tier}-1",
        "tier": tier,
        "status": "active",
        "started_at": datetime(started.year, started.month, started.day, 8, tzinfo=UTC),
    }


def web(source, views):
    return {"workspace_code": 1, "campaign_code": 2, "day": DAY, "source": source, "views": views, "web_events": views}
