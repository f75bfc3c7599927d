package exporttest

import (
	"fmt"
	"slices"
	"strconv"
	"sync"

	"dfinery-kafka/schema"
)

// slot marks a cell that differs from row to row. All other cells come from the row's template.
type slot uint8

const (
	fixed      slot = iota
	unifiedID       // of the row's user
	externalID      // of the row's user
	eventLogID      // a UUID, new for each row that is not a copy
	serverTime      // when the event arrived, within the row's day
	correctionTime
)

// column is a column of the data: its values are a slot, the template's event name, or one of
// values.
type column struct {
	name   string
	slot   slot
	values []string
}

// systemColumns is the number of columns that an event export always has: the first ones of
// eventColumns.
const systemColumns = 6

var standardEvents = []string{
	"df_login", "df_logout", "df_sign_up", "df_view_home", "df_view_list", "df_view_product_details", "df_view_search_result",
	"df_add_to_cart", "df_remove_cart", "df_view_cart", "df_add_to_wishlist", "df_purchase", "df_refund", "df_share_product", "df_touch_push",
}

// eventColumns returns n columns in the order of the header; the last ones of a wide export are
// numbered.
func eventColumns(n int) []column {
	columns := slices.Clip(commonColumns())
	for i := len(columns); i < n; i++ {
		columns = append(columns, column{name: fmt.Sprintf("custom_%03d", i+1), values: customValues()})
	}
	return columns[:n]
}

var customValues = sync.OnceValue(func() []string { return numbered("value %d", 100) })

// commonColumns are those of an ordinary event export.
var commonColumns = sync.OnceValue(func() []column {
	return []column{
		{name: "df_unified_id", slot: unifiedID},
		{name: "event_name"},
		{name: "df_api_version", values: []string{"2.0", "2.1"}},
		{name: "df_server_datetime", slot: serverTime},
		{name: "df_correction_datetime", slot: correctionTime},
		{name: "event_log_id", slot: eventLogID},
		{name: "df_session_id", values: numbered("sess-7c1e90ab-55d2-4f0e-9b1a-%012d", 64)},
		{name: "df_platform", values: []string{"Android", "iOS", "Web"}},
		{name: "df_os_version", values: []string{"14", "15", "17.6.1", "18.0"}},
		{name: "df_app_version", values: numbered("3.%d.0", 12)},
		{name: "df_sdk_version", values: []string{"1.0.4", "1.1.0", "1.2.3"}},
		{name: "df_device_model", values: []string{"SM-S928N", "SM-A546S", "iPhone16 1", "iPhone15 3", "Pixel 9 Pro"}},
		{name: "df_language", values: []string{"ko", "en", "ja", "zh"}},
		{name: "df_country", values: []string{"KR", "US", "JP", "TW"}},
		{name: "df_timezone", values: []string{"Asia/Seoul", "Asia/Tokyo", "America/New_York"}},
		{name: "df_currency", values: []string{"KRW", "USD", "JPY"}},
		{name: "df_discount", values: numbered("%d00.0", 40)},
		{name: "df_delivery_charge", values: numbered("%d500.0", 6)},
		{name: "df_total_purchase_amount", values: numbered("1%04d0.0", 500)},
		{name: "df_order_id", values: numbered("ORD-20261122-%06d", 500)},
		{name: "df_payment_method", values: []string{"CreditCard", "BankTransfer", "MobilePay", "Point"}},
		{name: "df_search_keyword", values: numbered("winter jacket %d", 50)},
		{name: "df_sign_channel", values: []string{"Kakao", "Naver", "Google", "Apple", "Email"}},
		{name: "df_referrer", values: numbered("https://shop.example.com/category/%03d?utm_source=naver&utm_medium=cpc", 80)},
		{name: "df_items_df_item_id", values: numbered("ITEM-%08d", 500)},
		{name: "df_items_df_item_name", values: numbered("Cotton shirt with long sleeves %03d", 100)},
		{name: "df_items_df_price", values: numbered("%d900.0", 90)},
		{name: "df_items_df_quantity", values: numbered("%d", 9)},
		{name: "df_items_df_category1", values: []string{"Fashion", "Living", "Beauty", "Food"}},
		{name: "df_items_df_category2", values: []string{"Outer", "Kitchen", "Skincare", "Fresh"}},
		{name: "membership_grade", values: []string{"bronze", "silver", "gold", "vip"}},
		{name: "coupon_code", values: numbered("WELCOME%04d", 100)},
		{name: "campaign", values: numbered("2026_black_friday_%02d", 20)},
		{name: "visit_count", values: numbered("%d", 300)},
		{name: "is_member", values: []string{"true", "false"}},
		{name: "store_name", values: numbered("Gangnam store %d", 30)},
		{name: "birth_date", values: numbered("1987-03-%02d", 28)},
		{name: "last_visit", values: numbered("2026-11-01T09:%02d:00.000Z", 60)},
		{name: "ab_test_group", values: []string{"A", "B", "control"}},
		{name: "memo", values: numbered("delivery in front of the door %d and a message on arrival", 40)},
	}
})

// profileColumns are the columns of a userprofile export; only the first is always present.
var profileColumns = sync.OnceValue(func() []column {
	return []column{
		{name: "df_unified_id", slot: unifiedID},
		{name: "df_external_id", slot: externalID},
		{name: "df_name", values: numbered("Customer %d", 200)},
		{name: "df_gender", values: []string{"F", "M"}},
		{name: "df_birth", values: numbered("1990-07-%02d", 28)},
		{name: "df_membership", values: []string{"bronze", "silver", "gold", "vip"}},
		{name: "df_phone_no", values: numbered("+8210555%05d", 500)},
		{name: "df_email", values: numbered("customer%d@example.com", 500)},
		{name: "df_push_optin", values: []string{"true", "false"}},
		{name: "df_total_purchase_count", values: numbered("%d", 90)},
		{name: "df_total_purchase_amount", values: numbered("%d0000.0", 90)},
		{name: "df_last_purchase_datetime", values: numbered("2026-11-01T10:%02d:00.000Z", 60)},
		{name: "favourite_store", values: numbered("Gangnam store %d", 30)},
		{name: "points", values: numbered("%d", 5000)},
		{name: "city", values: []string{"Seoul", "Busan", "Incheon", "Daegu"}},
		{name: "tags", values: numbered("tag%d", 20)},
	}
})

// alwaysPresent reports whether no filter of properties removes the column.
func alwaysPresent(kind schema.Kind, name string) bool {
	switch name {
	case "df_unified_id":
		return true
	case "event_name", "df_api_version", "df_server_datetime", "df_correction_datetime", "event_log_id":
		return kind == schema.Event
	}
	return false
}

// oddValues are values that are hard for CSV readers and JSON writers.
var oddValues = []string{
	"Kim, Min-jun", `said "hello"`, `"`, `""`, `","`, "two\nlines", "two\r\nlines", "\n", `back\slash\n`, `\"`, `["foo","bar"]`, `[1,2.5,3]`,
	"겨울 코트, \"특가\"", "日本語", "emoji 🛍️", "é as one, é as two", "tab\there", " space around ", "\u2028\u2029", "\x01control\x1f", "\ufeffmark", "{\"result\":\"fail\"}", "NULL", "=1+1", "'",
}

func numbered(format string, n int) []string {
	values := make([]string, n)
	for i := range values {
		values[i] = fmt.Sprintf(format, i+1)
	}
	return values
}

// appendPadded appends n in decimal with leading zeros up to the width.
func appendPadded(dst []byte, n uint64, width int) []byte {
	var digits [20]byte
	text := strconv.AppendUint(digits[:0], n, 10)
	for i := len(text); i < width; i++ {
		dst = append(dst, '0')
	}
	return append(dst, text...)
}
