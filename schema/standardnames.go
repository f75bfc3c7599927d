package schema

// StandardEvents returns DFINERY's standard events (see "standard events and
// properties" in the platform's developer guide).
func StandardEvents() []string {
	return []string{
		"df_login", "df_logout", "df_sign_up", "df_purchase", "df_refund", "df_view_home", "df_view_product_details", "df_view_list", "df_view_cart",
		"df_view_search_result", "df_add_to_cart", "df_add_to_wishlist", "df_remove_cart", "df_share_product", "df_add_payment_info",
	}
}

// StandardColumns returns the columns of exports with standard names.
func StandardColumns() []string {
	return []string{
		"df_unified_id", "df_external_id", "event_name", "df_api_version", "df_server_datetime", "df_correction_datetime",
		"df_order_id", "df_payment_method", "df_sign_channel", "df_keyword", "df_sharing_channel",
		"df_total_purchase_amount", "df_total_refund_amount", "df_delivery_charge", "df_discount",
		"df_items_df_item_id", "df_items_df_item_name", "df_items_df_category1", "df_items_df_category2", "df_items_df_category3",
		"df_items_df_category4", "df_items_df_category5", "df_items_df_price", "df_items_df_discount", "df_items_df_quantity",
		"df_name", "df_membership", "df_gender", "df_birth", "df_push_optin", "df_push_ads_optin", "df_push_night_ads_optin", "df_sms_ads_optin",
		"df_kakao_ads_optin",
	}
}
