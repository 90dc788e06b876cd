-- The trigger of the mailer's schema document, with our names: each event updates its campaign.
CREATE FUNCTION bench_document_trigger() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    UPDATE email_campaigns
    SET
        emails_sent = emails_sent + CAST(NEW.event_type = 'sent' AS INT),
        emails_delivered = emails_delivered + CAST(NEW.event_type = 'delivered' AS INT),
        emails_opened = emails_opened + CAST(NEW.event_type = 'opened' AS INT),
        emails_clicked = emails_clicked + CAST(NEW.event_type = 'clicked' AS INT),
        emails_bounced = emails_bounced + CAST(NEW.event_type = 'bounced' AS INT),
        emails_unsubscribed = emails_unsubscribed + CAST(NEW.event_type = 'unsubscribed' AS INT),
        emails_complained = emails_complained + CAST(NEW.event_type = 'complained' AS INT)
    WHERE workspace_id = NEW.workspace_id AND campaign_id = NEW.campaign_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER bench_document_trigger AFTER INSERT ON email_events
    FOR EACH ROW EXECUTE FUNCTION bench_document_trigger();
